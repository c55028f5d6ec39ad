"""The Python calls of audit: what `imageledger.Dataset` reaches through the entry point `imageledger.door`."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audit.findings import Finding, Report, Severity
from imageledger.config import Project
from imageledger.types import Row, Track
from train.runs import find_run

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
    project: Project, *, track: Track, manifest: Where, stage: str | None, family: str | Sequence[str],
    seed: int | None, permutations: int | None, most: int | None, fail_on: str | None, output: Where,
) -> Report:  # fmt: skip
    """Test whether the classes can be told apart without looking at a face."""
    from audit.shortcuts import work

    settings = work.ShortcutsSettings(
        stage=stage, family=family, seed=seed, permutations=permutations or work.PERMUTATIONS, most=most or work.ENOUGH
    )
    return _written(work.shortcuts(project, manifest, settings=settings, track=track), output, gate=bool(fail_on))


def leaks(
    project: Project, *, track: Track, manifest: Where, distance: int | None, fail_on: str | None, output: Where
) -> Report:  # fmt: skip
    """Find pictures that stand on both sides of the split, or under both labels."""
    from audit.leaks import work

    settings = work.LeaksSettings() if distance is None else work.LeaksSettings(distance=distance)
    return _written(work.leaks(project, manifest, settings=settings, track=track), output, gate=bool(fail_on))


def reliance(project: Project, *, track: Track, run: str | None, beside: str | None, output: Where) -> Report:
    """Test whether a model relies on what the file gives away."""
    from audit.reliance import work

    report = work.reliance(project, run, settings=work.RelianceSettings(beside=beside), track=track)
    return _written(report, output)


def calibration(project: Project, *, track: Track, run: str | None, output: Where) -> Report:
    """Measure how far a model's probabilities come true, and store the temperature that corrects them."""
    from audit.calibration import report, work

    folder = find_run(project, run)
    found = work.look(project, folder)
    tables = {"scores": report.score_table(found), "verdicts": report.verdict_table(found)}
    return _report(
        "calibration", folder.name, report.sentences(found), output or _NOWHERE, write=partial(report.write, found),
        warnings=report.warnings(found), tables=tables, plain=partial(report.plain, found),
    )  # fmt: skip


def robustness(project: Project, *, track: Track, run: str | None, output: Where) -> Report:
    """Change the pictures as the world does, and see which answers change with them."""
    from audit.robustness import report, work

    folder = find_run(project, run)
    found = work.look(project, folder, track=_named(track, "asking the model"))
    return _report(
        "robustness", folder.name, report.sentences(found), output or _NOWHERE, write=partial(report.write, found),
        warnings=found.warnings, tables={"changes": report.table(found)}, plain=partial(report.plain, found),
    )  # fmt: skip


def slices(project: Project, *, track: Track, run: str | None, output: Where) -> Report:
    """Find the kinds of pictures on which a model is wrong more often."""
    from audit.slices import report, work

    folder = find_run(project, run)
    found = work.look(project, folder, track=_named(track, "measuring"))
    return _report(
        "slices", folder.name, report.sentences(found), output or _NOWHERE, write=partial(report.write, found),
        warnings=found.warnings, tables={"slices": report.table(found)}, plain=partial(report.plain, found),
    )  # fmt: skip


def labels(
    project: Project, *, track: Track, run: str | None, k: int, who: str, with_file: bool, output: Where
) -> Report:  # fmt: skip
    """Rank the labels that are most likely wrong."""
    from audit.labels import report, work

    folder = find_run(project, run)
    found = work.look(project, folder, with_file=with_file, track=_named(track, "measuring"))
    entries = report.open_pictures(project, found, _named(track, "opening pictures"))
    place = work.within(project, (Path(output) if output else folder / "audit") / report.PROPOSED)
    return _report(
        "labels", folder.name, report.sentences(found, place), output or _NOWHERE,
        write=lambda folder: report.write(project, found, entries, folder, who), warnings=found.warnings,
        tables={"suspects": report.table(found, k)}, plain=partial(report.plain, project, found),
    )  # fmt: skip


def recipes(
    project: Project, *, track: Track, manifest: Where, sample: int, weights: Where, workers: int | None
) -> Report:  # fmt: skip
    """Try the recipes of normalize on a sample."""
    from audit.recipes import work

    settings = work.RecipesSettings(sample=sample, weights=weights, workers=workers)
    return work.recipes(project, manifest, settings=settings, track=track)


def self_test(project: Project, *, track: Track, quick: bool, seed: int) -> Report:
    """Plant known shortcuts, and none, and count what the audit of shortcuts finds."""
    from audit.self_test import work

    return work.self_test(project, settings=work.SelfTestSettings(quick=quick, seed=seed), track=track)


_NOWHERE = ""


def _written(report: Report, output: Where) -> Report:
    """Write the files of a report where the caller asked for them."""
    if output:
        report.write(Path(output))
    return report


def _report(
    audit: str, subject: str, sentences: Sequence[str], output: Path | str, *,
    write: Callable[[Path], Mapping[str, Path]], tables: Mapping[str, Sequence[Row]],
    plain: Callable[[dict[str, Path]], Mapping[str, Any]], verdict: str = "", warnings: Sequence[str] = (),
) -> Report:  # fmt: skip
    with TemporaryDirectory() as aside:
        files = dict(write(Path(aside)))
        contents = {path.name: partial(bytes, path.read_bytes()) for path in files.values() if path.is_file()}
        data = plain(files)
    lines = next((make().decode() for name, make in contents.items() if name.endswith(".csv")), "")
    report = Report(
        audit=audit, subject=subject, verdict=verdict, findings=_notes(sentences), tables=tables, data=data,
        rows=list(csv.DictReader(io.StringIO(lines))), contents=contents, warnings=tuple(warnings),
    )  # fmt: skip
    if output:
        report.write(Path(output))
    return report


def _notes(sentences: Iterable[str]) -> list[Finding]:
    return [Finding(severity=Severity.NOTE, sentence=sentence) for sentence in sentences]


def _named(track: Track, doing: str) -> Any:
    return lambda rows, total: track(rows, total, doing)


def _path(path: Where) -> Path | None:
    return None if path is None else Path(path)
