"""The Python calls of audit: what `imageledger.Dataset` reaches through the entry point `imageledger.door`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from audit.findings import Report
from imageledger.config import Project
from imageledger.errors import ConfigError, GateFailed
from imageledger.types import Track

Where = Path | str | None


def top_losses(
    project: Project, *, track: Track, run: str | None, actual: str | None, predicted: str | None, split: str,
    k: int | None, all: bool, output: Where,
) -> Report:  # fmt: skip
    """Show the pictures that the model got wrong, highest loss first."""
    from audit.top_losses import work

    settings = work.TopLossesSettings(actual=actual, predicted=predicted, split=split, k=k, all=all)
    return _written(work.top_losses(project, run, settings=settings, track=track), output)


def shortcuts(
    project: Project | None, *, track: Track, manifest: Where, labels: str | Path | Mapping[str, str] | None,
    stage: str | None, family: str | Sequence[str], seed: int | None, permutations: int, most: int,
    fail_on: str | None, output: Where,
) -> Report:  # fmt: skip
    """Test whether the classes can be told apart without looking at a face; a folder or a table needs no project."""
    from audit.shortcuts import anywhere, work
    from curate.fetch.in_place import is_pictures

    settings = work.ShortcutsSettings(stage=stage, family=family, seed=seed, permutations=permutations, most=most)
    if manifest is not None and (project is None or is_pictures(manifest)):
        place = Path(output) if output else None
        report = anywhere.shortcuts_of(Path(manifest), labels, settings=settings, output=place, track=track)
        return _written(report, output, gate=bool(fail_on))
    if labels is not None:
        raise ConfigError("labels say what the pictures of a folder are", "name the folder too")
    assert project is not None
    return _written(work.shortcuts(project, manifest, settings=settings, track=track), output, gate=bool(fail_on))


def leaks(
    project: Project, *, track: Track, manifest: Where, distance: int, fail_on: str | None, output: Where
) -> Report:  # fmt: skip
    """Find pictures that stand on both sides of the split, or under both labels."""
    from audit.leaks import work

    settings = work.LeaksSettings(distance=distance)
    return _written(work.leaks(project, manifest, settings=settings, track=track), output, gate=bool(fail_on))


def reliance(project: Project, *, track: Track, run: str | None, beside: str | None, output: Where) -> Report:
    """Test whether a model relies on what the file gives away."""
    from audit.reliance import work

    report = work.reliance(project, run, settings=work.RelianceSettings(beside=beside), track=track)
    return _written(report, output)


def calibration(project: Project, *, track: Track, run: str | None, output: Where) -> Report:
    """Measure how often a model's probabilities come true, and store the temperature that corrects them."""
    from audit.calibration import work

    return _written(work.calibration(project, run, track=track), output)


def robustness(project: Project, *, track: Track, run: str | None, output: Where) -> Report:
    """Change the pictures as the world does, and see which answers change with them."""
    from audit.robustness import work

    return _written(work.robustness(project, run, track=track), output)


def foreign(
    project: Project, source: str, *, track: Track, label: str, run: str | None, limit: int, matte_model: Where,
    output: Where,
) -> Report:  # fmt: skip
    """Ask a model about pictures of the same label from elsewhere."""
    from audit.foreign import work

    matte = Path(matte_model) if matte_model else None
    settings = work.ForeignSettings(source=source, label=label, limit=limit, matte_model=matte)
    return _written(work.foreign(project, run, settings=settings, track=track), output)


def slices(project: Project, *, track: Track, run: str | None, output: Where) -> Report:
    """Find the kinds of pictures on which a model is wrong more often."""
    from audit.slices import work

    return _written(work.slices(project, run, track=track), output)


def labels(
    project: Project, *, track: Track, run: str | None, k: int, with_file: bool, output: Where
) -> Report:  # fmt: skip
    """Rank the labels that are most likely wrong."""
    from audit.labels import work

    settings = work.LabelsSettings(k=k, with_file=with_file)
    return _written(work.labels(project, run, settings=settings, track=track), output)


def report(project: Project, *, track: Track, run: str | None, output: Where) -> Report:
    """Write one page that shows the dataset, the run, and what is proved about both."""
    from audit.report import work

    settings = work.ReportSettings(output=Path(output) if output else None)
    made = work.report(project, run, settings=settings, track=track)
    if output:
        made.write()
    return made


def review(
    project: Project, *, track: Track, subject: str | None, queue: str | None, port: int, open: bool, who: str
) -> str:  # fmt: skip
    """Serve the desk until it is interrupted; its address is printed, because whoever calls has to open it."""
    from audit.review import work
    from imageledger import console

    settings = work.ReviewSettings(queue=queue, port=port, open=open, who=who)
    return work.review(project, subject, settings=settings, hear=console.result)


def recipes(
    project: Project, *, track: Track, manifest: Where, sample: int, weights: Where, workers: int | None,
    output: Where,
) -> Report:  # fmt: skip
    """Try the recipes of normalize on a sample."""
    from audit.recipes import work

    settings = work.RecipesSettings(sample=sample, weights=weights, workers=workers)
    return _written(work.recipes(project, manifest, settings=settings, track=track), output)


def self_test(project: Project, *, track: Track, quick: bool, thorough: bool, output: Where, seed: int) -> Report:
    """Plant known shortcuts, and none, and count what the audit of shortcuts finds."""
    from audit.self_test import work

    settings = work.SelfTestSettings(quick=quick, thorough=thorough, seed=seed)
    return _written(work.self_test(project, settings=settings, track=track), output)


def _written(report: Report, output: Where, *, gate: bool = False) -> Report:
    """Write the files of a report where the caller asked for them; raise GateFailed where a gate was asked for."""
    if output:
        report.write(Path(output))
    if gate and report.refusal:
        raise GateFailed(*report.refusal)
    return report
