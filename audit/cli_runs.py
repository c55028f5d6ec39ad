"""The audit commands that ask how far a model can be trusted: reliance, calibration, robustness, slices, labels."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imageledger import console

if TYPE_CHECKING:
    from imageledger.config import Project

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where the files go (default: data/runs/NAME/audit/).",
)  # fmt: skip


@click.command()
@click.argument("run", required=False)
@click.option("--beside", metavar="RUN", help="Another run on the same pictures: does it follow the file more?")
@output_option
@console.json_option
@console.everywhere
def reliance(run: str | None, beside: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Ask whether a model leans on what the file gives away, rather than on the face.

    RUN is the name of a training run (default: the one finished last). Probes its pictures as audit shortcuts
    does and looks at the validation ones (all of them, of a cross-validated run) in three ways: whether the model's
    answers follow the probes within a class; whether it fails where the file misleads; and whether its answers flip
    once each class is delivered (JPEG quality, size, background) as the other one was, compared with a placebo. The
    last needs torch. Where both runs were cross-validated with --repeats, the comparison with another run is freed
    of the noise of training, which makes a model follow everything less. Writes reliance.csv and reliance.png.

    \b
    audit reliance                              the run finished last
    audit reliance strong --beside seed         and whether strong follows the file more than seed does
    audit reliance first --json | jq .verdict   RELIES, INDEPENDENT or INCONCLUSIVE
    """
    from audit import reliance_report, reliance_run

    opened, folder = _found(project, run)
    found = reliance_run.look(
        opened, folder, _found(project, beside)[1] if beside else None, say=console.say,
        track=lambda doing: lambda rows, total: console.track(rows, total, doing),
    )  # fmt: skip
    _warn(found.warnings)
    files = reliance_report.write(found, output or folder / "audit")
    title = f"Do the answers follow the file within a class? ({found.reliance.model.total} pictures, {found.split})"
    tables = {
        title: reliance_report.table(found.reliance, found.run.labels),
        "Swapped deliveries": reliance_report.swap_table(found.reliance.swaps),
    }
    _tell(reliance_report.plain(found, files), reliance_report.sentences(found), tables, files, as_json)


@click.command()
@click.argument("run", required=False)
@output_option
@console.json_option
@console.everywhere
def calibration(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Tell how far a model's probabilities come true, and store the temperature that mends them.

    RUN is the name of a run (default: the one finished last). One number, the temperature, divides the logits; it
    is fitted on pictures that the model had not seen (all of them after train cross-validate, else those of the
    validation split) and stored in data/runs/NAME/calibration.json, from where train predict and train export take
    it, together with the band of probabilities that are called unsure. What it changes is measured on pictures
    that it was not fitted on, group by group. calibration.png shows how often each probability came true, and what
    a perfectly calibrated model would show with as few pictures.

    \b
    audit calibration                                the run finished last
    audit calibration first --json | jq .temperature
    """
    from audit import calibration, calibration_report

    opened, folder = _found(project, run)
    found = calibration.look(opened, folder)
    _warn(calibration_report.warnings(found))
    files = calibration_report.write(found, output or folder / "audit")
    tables = {
        "On pictures that the temperature was not fitted on": calibration_report.score_table(found),
        "Verdicts": calibration_report.verdict_table(found),
    }
    _tell(calibration_report.plain(found, files), calibration_report.sentences(found), tables, files, as_json)


@click.command()
@click.argument("run", required=False)
@output_option
@console.json_option
@console.everywhere
def robustness(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Change the pictures as the world does, and see which answers change with them.

    RUN is the name of a run (default: the one finished last). Its judged pictures are saved as JPEG at quality 95,
    75, 60 and 40, each at full, half and quarter size; blurred, made noisy, saved as WebP, and rendered anew as a
    screenshot would; then the model is asked again. After train cross-validate every picture is asked about by
    the model of the fold that held it out, else the validation pictures are. Accuracy and flips come with 95 %
    intervals, the worst change first. Needs torch. Writes robustness.csv and robustness.png.

    \b
    audit robustness                                 the run finished last
    audit robustness first --json | jq '.changes[0]'
    """
    from audit import robustness, robustness_report

    opened, folder = _found(project, run)
    found = robustness.look(opened, folder, track=lambda rows, total: console.track(rows, total, "asking the model"))
    _warn(found.warnings)
    files = robustness_report.write(found, output or folder / "audit")
    tables = {f"{found.clean.n} pictures, the worst change first": robustness_report.table(found)}
    _tell(robustness_report.plain(found, files), robustness_report.sentences(found), tables, files, as_json)


@click.command()
@click.argument("run", required=False)
@output_option
@console.json_option
@console.everywhere
def slices(run: str | None, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Find out on which kinds of pictures a model is wrong more often.

    RUN is the name of a run (default: the one finished last). Within each class its judged pictures are sliced by
    source and generator, and cut into thirds by size, brightness, skin tone as pictured, retouching and softness
    of the matte. Each slice is compared with the rest of its class (Fisher's exact test), corrected for all slices
    that are looked at; the worst comes first, and what cannot be shown is said to be not shown. All judged pictures
    are used: after train cross-validate those are all pictures, else the few of the validation split. Needs no
    torch. Writes slices.csv and slices.png.

    \b
    audit slices                                     the run finished last
    audit slices first --json | jq '.slices[0]'
    """
    from audit import slices_report, slices_run

    opened, folder = _found(project, run)
    found = slices_run.look(opened, folder, track=lambda rows, total: console.track(rows, total, "measuring"))
    _warn(found.warnings)
    files = slices_report.write(found, output or folder / "audit")
    shown = slices_report.table(found)
    more = f", the {len(shown)} worst" if len(shown) < len(found.slices) else ""
    tables = {f"{len(found.slices)} slices of {found.pictures} pictures{more}": shown}
    _tell(slices_report.plain(found, files), slices_report.sentences(found), tables, files, as_json)


@click.command()
@click.argument("run", required=False)
@click.option("-k", "most", type=click.IntRange(1), default=20, show_default=True, help="How many to print.")
@click.option("--who", default="", metavar="NAME", help="Sign the proposed decisions with your name.")
@click.option("--with-file", is_flag=True, help="Ask the files as fetched as well: whose are they like?")
@output_option
@console.json_option
@console.everywhere
def labels(
    run: str | None, most: int, who: str, with_file: bool, output: Path | None, as_json: bool, project: Path | None
) -> None:  # fmt: skip
    """Rank the labels that are most likely wrong, as decisions waiting for a person.

    RUN is the name of a cross-validated run (default: the one finished last): train cross-validate judges every
    picture by a model that had not seen it, and cleanlab's confident learning compares that with the labels. A
    picture that the model finds hard looks like a wrong label to it, so nothing is changed: labels.html shows the
    suspects, and labels-proposed.jsonl has one decision a line, to be copied into decisions.jsonl by whoever
    has looked. With --with-file a picture is also suspected whose file, as fetched, is like those of the other class:
    that finds what was filed under the wrong label, and vouches for nothing. Needs the package cleanlab. Writes
    labels.csv, labels.html and labels-proposed.jsonl.

    \b
    audit labels                                     the run finished last
    audit labels crossed --who ana                   proposals signed by ana
    audit labels crossed --with-file                 and what was filed wrongly
    sed -n '1p;3p' data/runs/crossed/audit/labels-proposed.jsonl >> manifests/portraits/decisions.jsonl
    """
    from audit import labels, labels_report

    opened, folder = _found(project, run)
    found = labels.look(
        opened, folder, with_file=with_file, track=lambda rows, total: console.track(rows, total, "measuring")
    )  # fmt: skip
    _warn(found.warnings)
    entries = labels_report.open_pictures(
        opened, found, lambda rows, total: console.track(rows, total, "opening pictures")
    )
    files = labels_report.write(opened, found, entries, output or folder / "audit", who)
    shown = labels_report.table(found, most)
    tables = {f"the {len(shown)} most suspicious of {len(found.suspects)}": shown}
    _tell(
        labels_report.plain(opened, found, files),
        labels_report.sentences(found, labels.within(opened, files["jsonl"])),
        tables,
        files,
        as_json,
    )


def _found(project: Path | None, run: str | None) -> "tuple[Project, Path]":
    """Open the project and find a run of it by name, or the one finished last."""
    from imageledger.config import open_project
    from train.run import find_run

    opened = open_project(project)
    return opened, find_run(opened, run)


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        console.say(f"Warning: {warning}")


def _tell(
    plain: Mapping[str, Any], sentences: Sequence[str], tables: Mapping[str, Sequence[Mapping[str, Any]]],
    files: Mapping[str, Path], as_json: bool,
) -> None:  # fmt: skip
    """Print what an audit found: one object for scripts, or sentences, tables by title and files for people."""
    import json

    if as_json:
        console.result(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for sentence in sentences:
        console.result(sentence)
    for title, rows in tables.items():
        if rows:
            console.table(rows, title=title)
    for path in files.values():
        console.result(path)
