"""The audit commands that ask how far a model can be trusted: reliance, calibration, robustness, slices, labels."""

from pathlib import Path

import click

from imageledger import console

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
    last needs torch. Writes reliance.csv and reliance.png.

    \b
    audit reliance                              the run finished last
    audit reliance strong --beside seed         and whether strong follows the file more than seed does
    audit reliance first --json | jq .verdict   RELIES, INDEPENDENT or INCONCLUSIVE
    """
    import json

    from audit import reliance_report, reliance_run
    from imageledger.config import open_project
    from train.run import find_run

    opened = open_project(project)
    folder = find_run(opened, run)
    found = reliance_run.look(
        opened, folder, find_run(opened, beside) if beside else None, say=console.say,
        track=lambda doing: lambda rows, total: console.track(rows, total, doing),
    )  # fmt: skip
    for warning in found.warnings:
        console.say(f"Warning: {warning}")
    files = reliance_report.write(found, output or folder / "audit")
    if as_json:
        console.result(json.dumps(reliance_report.plain(found, files), ensure_ascii=False, indent=2))
        return
    for sentence in reliance_report.sentences(found):
        console.result(sentence)
    title = f"Do the answers follow the file within a class? ({found.reliance.model.total} pictures, {found.split})"
    console.table(reliance_report.table(found.reliance, found.run.labels), title=title)
    if found.reliance.swaps:
        console.table(reliance_report.swap_table(found.reliance.swaps), title="Swapped deliveries")
    for path in files.values():
        console.result(path)


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
    import json

    from audit import calibration, calibration_report
    from imageledger.config import open_project
    from train.run import find_run

    opened = open_project(project)
    folder = find_run(opened, run)
    found = calibration.look(opened, folder)
    for warning in calibration_report.warnings(found):
        console.say(f"Warning: {warning}")
    files = calibration_report.write(found, output or folder / "audit")
    if as_json:
        console.result(json.dumps(calibration_report.plain(found, files), ensure_ascii=False, indent=2))
        return
    for sentence in calibration_report.sentences(found):
        console.result(sentence)
    console.table(calibration_report.score_table(found), title="On pictures that the temperature was not fitted on")
    console.table(calibration_report.verdict_table(found), title="Verdicts")
    for path in files.values():
        console.result(path)


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
    import json

    from audit import robustness, robustness_report
    from imageledger.config import open_project
    from train.run import find_run

    opened = open_project(project)
    folder = find_run(opened, run)
    found = robustness.look(opened, folder, track=lambda rows, total: console.track(rows, total, "asking the model"))
    for warning in found.warnings:
        console.say(f"Warning: {warning}")
    files = robustness_report.write(found, output or folder / "audit")
    if as_json:
        console.result(json.dumps(robustness_report.plain(found, files), ensure_ascii=False, indent=2))
        return
    for sentence in robustness_report.sentences(found):
        console.result(sentence)
    console.table(robustness_report.table(found), title=f"{found.clean.n} pictures, the worst change first")
    for path in files.values():
        console.result(path)


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
    import json

    from audit import slices_report, slices_run
    from imageledger.config import open_project
    from train.run import find_run

    opened = open_project(project)
    folder = find_run(opened, run)
    found = slices_run.look(opened, folder, track=lambda rows, total: console.track(rows, total, "measuring"))
    for warning in found.warnings:
        console.say(f"Warning: {warning}")
    files = slices_report.write(found, output or folder / "audit")
    if as_json:
        console.result(json.dumps(slices_report.plain(found, files), ensure_ascii=False, indent=2))
        return
    for sentence in slices_report.sentences(found):
        console.result(sentence)
    shown = slices_report.table(found)
    more = f", the {len(shown)} worst" if len(shown) < len(found.slices) else ""
    console.table(shown, title=f"{len(found.slices)} slices of {found.pictures} pictures{more}")
    for path in files.values():
        console.result(path)


@click.command()
@click.argument("run", required=False)
@click.option("-k", "most", type=click.IntRange(1), default=20, show_default=True, help="How many to print.")
@click.option("--who", default="", metavar="NAME", help="Sign the proposed decisions with your name.")
@output_option
@console.json_option
@console.everywhere
def labels(run: str | None, most: int, who: str, output: Path | None, as_json: bool, project: Path | None) -> None:
    """Rank the labels that are most likely wrong, as decisions waiting for a person.

    RUN is the name of a cross-validated run (default: the one finished last): train cross-validate judges every
    picture by a model that had not seen it, and cleanlab's confident learning compares that with the labels. A
    picture that the model finds hard looks like a wrong label to it, so nothing is changed: labels.html shows the
    suspects, and labels-proposed.jsonl has one decision a line, to be copied into decisions.jsonl by whoever
    has looked. Needs the package cleanlab. Writes labels.csv, labels.html and labels-proposed.jsonl.

    \b
    audit labels                                     the run finished last
    audit labels crossed --who ana                   proposals signed by ana
    sed -n '1p;3p' data/runs/crossed/audit/labels-proposed.jsonl >> manifests/portraits/decisions.jsonl
    """
    import json

    from audit import labels, labels_report
    from imageledger.config import open_project
    from train.run import find_run

    opened = open_project(project)
    folder = find_run(opened, run)
    found = labels.look(opened, folder)
    for warning in found.warnings:
        console.say(f"Warning: {warning}")
    entries = labels_report.open_pictures(
        opened, found, lambda rows, total: console.track(rows, total, "opening pictures")
    )
    files = labels_report.write(opened, found, entries, output or folder / "audit", who)
    if as_json:
        console.result(json.dumps(labels_report.plain(opened, found, files), ensure_ascii=False, indent=2))
        return
    for sentence in labels_report.sentences(found, labels.within(opened, files["jsonl"])):
        console.result(sentence)
    if found.suspects:
        shown = labels_report.table(found, most)
        console.table(shown, title=f"the {len(shown)} most suspicious of {len(found.suspects)}")
    for path in files.values():
        console.result(path)
