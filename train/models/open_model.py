"""Open a model by any of its names: a run of the project, a run's folder, or an exported folder or zip.

Torch is imported only where the network itself has to be built; an exported model.onnx needs none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageledger import manifest
from imageledger.config import Project, open_project
from imageledger.errors import ConfigError, LedgerError, ManifestError, ModelError, RunError
from imageledger.record import OK, Record
from imageledger.types import Track, untracked
from train import views
from train.config import FINE_TUNE
from train.evaluation import temperature as calibration
from train.models import novelty, onnx_file
from train.models import package as packages
from train.models import steps as applying
from train.models.novelty import Familiar
from train.models.package import ONNX, WEIGHTS, Package
from train.models.steps import Applier, Steps
from train.recipes import current
from train.runs import SPLIT, Run, find_run, read_predictions

if TYPE_CHECKING:
    from curate.evidence.measure import Table

Ask = Callable[[Sequence[Image.Image]], list[float]]
"""Pictures as training stored them, upright and RGB -> P(positive), 0..1, not calibrated."""

RESIZED_ONLY = (
    "This model was trained on a folder of pictures, so new pictures are only decoded and resized; how the training "
    "pictures were prepared is unknown."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A model ready to be asked: what is known of it, the steps of its manifest, and the network."""

    package: Package
    applier: Applier
    ask: Ask


def opened(address: str, folder: Path | None, matte_file: Path | None, track: Track = untracked) -> Opened:
    """Open MODEL; `folder` is where the project is looked for, `matte_file` a cut-out model of one's own.

    Raises LedgerErrors for a model that cannot be found, used or trusted.
    """
    if packages.looks_exported(Path(address)):
        exported = packages.read(Path(address))
        package, ask = exported.package, _ask_exported(exported)
        matte_file = matte_file or _declared_matte(_project_around(folder), package.steps)
    else:
        project = _project_of(address, folder)
        place = find_run(project, address)
        package = described(project, place, track)
        from train.network import predicting

        model = predicting.load(place)
        ask = lambda images: list(predicting.predict(model, images))  # noqa: E731
        matte_file = matte_file or _declared_matte(project, package.steps)
    return Opened(package=package, applier=applying.applier(package.steps, matte_file), ask=ask)


def described(project: Project, folder: Path, track: Track = untracked) -> Package:
    """Gather what is known of a finished run: its steps, calibration, and what its training pictures are like.

    `views` hold the size alone; `train.export.work` adds what the backbone says. Raises RunError when it has no model
    of its own, or its manifest no longer holds the pictures it was trained on.
    """
    run = Run.load(folder)
    if not (folder / WEIGHTS).is_file():
        raise RunError(f"{folder} holds no model", "train run and train cross-validate leave one behind")
    records = records_of(project, run, folder)
    steps = applying.steps_of(records)
    return Package(
        name=run.name,
        recipe=current(str(run.settings.get("recipe", FINE_TUNE))),
        backbone=str(run.settings["arch"]),
        labels=run.labels,
        views=views.of_run(run.settings),
        steps=steps,
        calibration=calibration.read(folder),
        familiar=_familiar(project, records, run, track),
        manifest={"dataset": project.dataset if run.manifest else "", "digest": run.manifest_digest,
                  "pictures": sum(1 for _ in read_predictions(folder))},
        made_with=_made_with(project, run) if steps.plain() else {},
        versions=run.versions,
    )  # fmt: skip


def records_of(project: Project, run: Run, folder: Path) -> list[Record]:
    """Return the records of the pictures of a run, in the order of its predictions; none for a run on a folder.

    Raises RunError when the manifest lacks one of them, or has another picture in its place.
    """
    if not run.manifest:
        return []
    path = project.root / run.manifest
    try:
        known = {record.key: record for record in manifest.read(path) if record.status == OK}
    except ManifestError as error:
        raise RunError(
            f"the manifest of run {run.name} cannot be read: {error.what}",
            "put it back, or use the exported model, which holds all that is needed",
        ) from error
    wanted = list(read_predictions(folder))
    records = [known.get(row.key) for row in wanted]
    if lost := [
        row.member for row, record in zip(wanted, records, strict=True) if not record or record.file != row.file
    ]:
        raise RunError(
            f"{len(lost)} of {len(wanted)} pictures of run {run.name} are no longer in {path} as they were, such as"
            f" {lost[0]}: what was done to them is unknown",
            "train again on the manifest as it is now, or put back the one that was trained on",
        )
    return [record for record in records if record is not None]


def _ask_exported(exported: packages.Exported) -> Ask:
    package = exported.package
    if exported.has_onnx:
        run = onnx_file.ready(exported.read(ONNX), views.side(package.views), f"{ONNX} in {exported.path}")

        def ask(images: Sequence[Image.Image]) -> list[float]:
            return [float(run(views.of(image, package.views))[:, -1].mean(dtype=np.float64)) for image in images]

        return ask
    from train.network import predicting

    model = predicting.built(package.as_run(), exported.read(WEIGHTS), f"{WEIGHTS} in {exported.path}")
    if (list(model.mean), list(model.std)) != (package.views["mean"], package.views["std"]):
        raise ModelError(f"the mean and std in {exported.path} are not those of {package.backbone}", packages.AGAIN)
    return lambda images: list(predicting.predict(model, images))


def _project_of(address: str, folder: Path | None) -> Project:
    """Return the project of a run: the one named, that above the run's own folder, or that above the working one."""
    inside = (Path(address) / "run.json").is_file()
    try:
        return open_project(Path(address) if folder is None and inside else folder)
    except ConfigError as error:
        if folder is not None or inside:
            raise
        raise ModelError(
            f"{address} is no exported model (a .zip, or a folder with {packages.JSON}), and no project is around here "
            "in which a run could have that name",
            "train export RUN -o FILE.zip makes an exported model; --project DIR names a project",
        ) from error


def _project_around(folder: Path | None) -> Project | None:
    """Return the project that the command runs in, if it does; an exported model needs none."""
    try:
        return open_project(folder)
    except LedgerError:
        if folder is not None:
            raise
        return None


def _declared_matte(project: Project | None, steps: Steps) -> Path | None:
    """Return the cut-out model of one's own that the project declares, where the steps use such a one."""
    if project is None or steps.matte_model is None:
        return None
    named = project.tables.get("whiten", {}).get("model_path")
    return project.root / Path(named).expanduser() if isinstance(named, str) and named else None


def _familiar(project: Project, records: Sequence[Record], run: Run, track: Track) -> Familiar | None:
    """Describe the pictures that the network has learnt from, as far as they are still here."""
    from curate.evidence.measure import FETCHED, FINAL, measure
    from curate.evidence.probe import enough

    learnt = [record for record in records if run.kind != SPLIT or record.split == "train"]
    rows = enough([record for record in learnt if project.store.has(record.file)], novelty.MOST)
    if not rows:
        return None
    table = measure(project, rows, tuple(novelty.NUMBERS), stage=FINAL, track=track)
    columns = [_column(table, of, number) for of, ones in novelty.NUMBERS.items() for number in ones]
    kept = [record for record in rows if record.origin and project.store.has(record.origin)]
    originals = measure(project, kept, ("resampling",), stage=FETCHED, track=track)
    return novelty.fit(np.stack(columns, axis=1), list(_column(originals, "resampling", novelty.FINE)) if kept else [])


def _column(table: "Table", of: str, name: str) -> NDArray[np.float64]:
    """Return one number of a family for every picture of a table."""
    return table.values[of][:, list(table.columns[of]).index(name)]


def _made_with(project: Project, run: Run) -> Mapping[str, str]:
    """Return the versions of the packages that made the pixels, as the cards of the stages state them."""
    beside = (project.root / run.manifest).parent
    versions: dict[str, str] = {}
    for stage in ("normalized", "whitened"):
        try:
            versions |= manifest.Card.read(beside / f"{stage}.card.json").versions
        except ManifestError:
            continue
    return versions
