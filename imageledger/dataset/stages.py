"""The stages of curate as methods of a dataset: names and defaults are those of the commands."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imageledger.dataset.legs import Reached

if TYPE_CHECKING:
    from PIL import Image

    from imageledger.stage import Outcome


class Stages(Reached):
    """The commands of `curate`. A setting that is None comes from imageledger.toml, or else is the command's default.

    Every stage returns an Outcome: where the manifest lies, its counts, and how many pictures needed work.
    """

    def fetch(
        self,
        *sources: str,
        label: str | None = None,
        labels: str | Mapping[str, str] | None = None,
        table: Path | str | None = None,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        follow_links: bool | None = None,
        licence: str | None = None,
        limit: int | None = None,
        generator: str | None = None,
        workers: int | None = None,
        strict: bool = False,
    ) -> "Outcome":
        """Fetch pictures from their sources; without a source, from all that the project declares.

        A source is "kaggle:owner/slug", "folder:PATH", "zip:PATH" or "sample:"; paths are relative to the working
        directory. `labels` maps glob patterns to labels; `table` is a file with the columns path and label. Raises
        SourceError for a source that cannot be read.

        >>> faces.fetch("folder:photos", labels={"real/**": "real", "ai/**": "ai"})
        fetch: 24 ok (0 worked on, 24 reused)
        """
        return self._curate("fetch", locals())

    def normalize(
        self,
        *,
        recipe: str | None = None,
        size: int | str | None = None,
        format: str | None = None,
        quality: int | None = None,
        require_face: bool | None = None,
        detector: str | None = None,
        face_model: Path | str | None = None,
        save: bool = False,
        from_: Path | str | None = None,
        workers: int | None = None,
        strict: bool = False,
    ) -> "Outcome":
        """Bring every picture to one format and one size, by a recipe that is the same for all.

        >>> faces.normalize(size=64)
        normalize: 24 ok (0 worked on, 24 reused)
        """
        return self._curate("normalize", locals())

    def dedupe(
        self,
        *,
        distance: int | None = None,
        pairs: str | None = None,
        most: int | None = None,
        save: bool = False,
        from_: Path | str | None = None,
    ) -> "Outcome":
        """Find copies of the same picture and keep the best of each; the others become duplicates.

        >>> faces.dedupe()
        dedupe: 24 ok (0 worked on, 24 reused)
        """
        return self._curate("dedupe", locals())

    def whiten(
        self,
        *,
        region: str | None = None,
        face_size: int | str | None = None,
        matting: str | None = None,
        model: str | None = None,
        model_path: Path | str | None = None,
        save: bool = False,
        from_: Path | str | None = None,
        workers: int | None = None,
        strict: bool = False,
    ) -> "Outcome":
        """Cut every person out and put them on pure white, or keep the inner face alone (`region="face"`).

        >>> faces.whiten(matting="grabcut").tally.total("ok")
        24
        """
        return self._curate("whiten", locals())

    def choose(
        self,
        *,
        per_class: int | None = None,
        valid_fraction: float | None = None,
        seed: int | None = None,
        match: str | Sequence[str] | None = None,
        export: Path | str | None = None,
        save: bool = False,
        from_: Path | str | None = None,
        workers: int | None = None,
    ) -> "Outcome":
        """Choose the final dataset: equally many pictures of each label, split into train and valid.

        This is the command `curate manifest`. `match` names the families of numbers in which the classes should
        agree; "off" chooses by a hash of content and seed alone. Raises ManifestError if there are
        too few pictures.

        >>> faces.choose(per_class=10, match="off")
        manifest: 20 ok, 4 unused (0 worked on, 24 reused)
        """
        return self._curate("choose", locals())

    def run(
        self, *, dry_run: bool = False, workers: int | None = None, strict: bool = False
    ) -> "Outcome | list[dict[str, Any]]":
        """Run all stages in the order of imageledger.toml, with its settings, and return what the last one did.

        Stages whose input and settings have not changed do no work. With `dry_run` nothing is done: a row per stage
        says what would be, and why.

        >>> faces.run()
        manifest: 20 ok, 4 unused (0 worked on, 24 reused)
        """
        return self._curate("run", locals())

    def look(
        self,
        stage: str | None = None,
        *,
        status: str | None = None,
        label: str | None = None,
        sort: str | None = None,
        reverse: bool = False,
        worst: str | None = None,
        pairs: bool = False,
        n: int = 24,
        columns: int | None = None,
        output: Path | str | None = None,
    ) -> "Image.Image":
        """Return a sheet of the pictures of a stage, with the reasons under those that were set aside.

        `stage` is "fetched", "normalized", "deduped", "whitened" or "final" (default: the furthest that was made).
        Raises ManifestError where there is nothing of what was asked for. The sheet is written where `output` says.

        >>> faces.look("whitened", label="real", n=3).mode
        'RGB'
        """
        sheet: Image.Image = self._call("curate", "look", locals())
        return sheet

    def _curate(self, name: str, arguments: Mapping[str, object]) -> "Outcome":
        outcome: Outcome = self._call("curate", name, arguments)
        return outcome
