"""The Python calls of audit: what `imageledger.Dataset` reaches through the entry point `imageledger.door`."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audit.findings import Finding, Report, Severity
from imageledger import manifest as manifests
from imageledger.config import Project
from imageledger.errors import ConfigError, GateFailed
from imageledger.types import Row, Track
from train.runs import Run, find_run, read_predictions

Where = Path | str | None


def top_losses(
    project: Project, *, track: Track, run: str | None, actual: str | None, predicted: str | None, split: str,
    k: int | None, all: bool, output: Where,
) -> Report:  # fmt: skip
    """Show the pictures that the model got wrong, highest loss first."""
    from audit import pictures
    from audit.top_losses import judge, report, work

    if all and (actual or predicted):
        raise ConfigError("all takes every picture", "leave out actual and predicted")
    folder = find_run(project, run)
    trained = Run.load(folder)
    judge.refuse_split(trained, split)
    asked = judge.asked(trained.labels, actual, predicted, split, everything=all)
    ranking = judge.rank(read_predictions(folder), trained.labels, asked, k or (None if all else 20))
    audit = work.Audit(
        run=trained, wanted=asked, ranking=ranking, found=pictures.records_of(project, trained, ranking.worst)
    )
    entries = work.open_pictures(project, audit, _named(track, "opening pictures"))
    warnings = [*audit.found.warnings, *(f"{n} × {why}" for why, n in pictures.unshown(entries).items())]
    return _report(
        "top-losses", trained.name, audit.sentences, output or _NOWHERE, write=partial(report.write, audit, entries),
        warnings=warnings, tables={audit.cut: report.table(audit)}, plain=partial(report.plain, audit),
    )  # fmt: skip


def shortcuts(
    project: Project, *, track: Track, manifest: Where, stage: str | None, family: str | Sequence[str],
    seed: int | None, permutations: int | None, most: int | None, fail_on: str | None, output: Where,
) -> Report:  # fmt: skip
    """Test whether the classes can be told apart without looking at a face."""
    from audit.shortcuts import report, words, work

    families = (family,) if isinstance(family, str) else tuple(family)
    asked = work.Asked.of(project, families, seed, permutations, most)
    audit = work.look(project, asked, source=_path(manifest), stage=stage, track=partial(_named, track))
    if fail_on:
        audit.refuse_shortcuts()
    return _report(
        "shortcuts", audit.dataset, words.spoken(audit), output or _NOWHERE,
        verdict=str(audit.last.conclusive.verdict), write=partial(report.write, project, audit),
        tables={title: rows for rows, title in words.tables(audit)}, plain=partial(words.plain, audit),
    )  # fmt: skip


def leaks(
    project: Project, *, track: Track, manifest: Where, distance: int | None, fail_on: str | None, output: Where
) -> Report:  # fmt: skip
    """Find pictures that stand on both sides of the split, or under both labels."""
    from audit.leaks import report, work

    path = _path(manifest) or project.manifest("manifest")
    found = work.find(
        manifests.read(path), project.store, distance=work.DISTANCE if distance is None else distance,
        watch=_named(track, "looking into pairs"),
    )  # fmt: skip
    if fail_on and (found.leaks or found.unchecked):
        raise GateFailed(*report.refusal(found))
    return _report(
        "leaks", str(path), report.sentences(found), output or _NOWHERE,
        write=partial(report.write, found, project.store), warnings=report.warnings(found),
        tables={"pairs": report.table(found)}, plain=partial(report.plain, found, str(path)),
    )  # fmt: skip


def reliance(project: Project, *, track: Track, run: str | None, beside: str | None, output: Where) -> Report:
    """Test whether a model leans on what the file gives away."""
    from audit.reliance import report, work

    folder = find_run(project, run)
    other = find_run(project, beside) if beside else None
    found = work.look(project, folder, other, say=lambda _: None, track=partial(_named, track))
    tables = {
        "Do the answers follow the file within a class?": report.table(found.reliance, found.run.labels),
        "Swapped deliveries": report.swap_table(found.reliance.swaps),
    }
    return _report(
        "reliance", folder.name, report.sentences(found), output or _NOWHERE, verdict=str(found.reliance.verdict),
        write=partial(report.write, found), warnings=found.warnings, tables=tables, plain=partial(report.plain, found),
    )  # fmt: skip


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

    rows, remark = work.compare(
        project, source=_path(manifest), sample=sample, weights=str(weights or ""), workers=workers,
        track=_named(track, "recipes"),
    )  # fmt: skip
    return Report(
        audit="recipes", subject=project.dataset, findings=_notes([remark]), tables={"recipes": rows}, rows=rows
    )


def self_test(project: Project, *, track: Track, quick: bool, seed: int) -> Report:
    """Plant known shortcuts, and none, and count what the audit of shortcuts finds."""
    from audit.self_test import work
    from imageledger.engines.local import cores

    found = work.run(project, quick=quick, seed=seed, workers=cores(), track=_named(track, "self-test"))
    return Report(
        audit="self-test", subject=project.dataset, verdict="PASSED" if found.passed else "FAILED",
        findings=_notes(found.sentences), tables={"plants": found.rows()}, rows=found.rows(),
    )  # fmt: skip


_NOWHERE = ""


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
