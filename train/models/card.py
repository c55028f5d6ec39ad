"""The model card of a run, written by nobody: everything on it is read from the run, its manifest and its card.

After Mitchell et al. (2019), Model cards for model reporting. It holds no clock and no path of this machine, so equal
runs give equal cards.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.nuisance import TOGETHER, in_words
from curate.sources.licences import concern
from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import LedgerError, ManifestError, RunError
from imageledger.foreign import understood
from imageledger.intervals import with_interval
from imageledger.manifest import Card
from imageledger.record import OK, Record
from imageledger.store import write_whole
from train.config import FINE_TUNE
from train.evaluation import evaluate, metrics, temperature, unseen
from train.evaluation.temperature import Calibration
from train.models.elsewhere import UNTESTED, elsewhere
from train.models.markdown import escaped, table
from train.pictures import DRAWN
from train.recipes import current
from train.runs import CROSS_VALIDATION, HOLD_OUT, SPLIT, Run, read_predictions

FILE = "model-card.md"
NEW_STEPS = ("normalize", "whiten")

PROTOCOLS = {
    SPLIT: "one model, trained on the train rows and judged on the valid rows of the manifest",
    CROSS_VALIDATION: "one model per fold, each picture judged by a model that had not seen it; the model that is kept "
    "was trained on all pictures, so no figure here is of that very model",
    HOLD_OUT: "one model for each {by} that was left out, judged on what it had not seen",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a card says beyond run.json: records of the pictures, card of the manifest, hold-outs on it."""

    records: Sequence[Record] = ()
    card: Card | None = None
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Pictures by (split, label)."""
    hold_outs: Sequence[Run] = ()
    calibration: Calibration | None = None
    elsewhere: str = UNTESTED


def write(project: Project, run: Run, folder: Path) -> None:
    """Write model-card.md into the folder of a run, whose predictions.jsonl lies there already."""
    write_whole(folder / FILE, text(run, about(project, run, folder)).encode())


def about(project: Project, run: Run, folder: Path) -> About:
    """Gather what a card says beyond run.json; what cannot be read is left out, and the card says so."""
    predictions = list(read_predictions(folder))
    wanted = {row.key: row.split for row in predictions}
    path = project.root / run.manifest
    records: list[Record] = []
    card = None
    if run.manifest and path.is_file() and manifest.digest(path) == run.manifest_digest:
        records = [record for record in manifest.read(path) if record.status == OK and record.key in wanted]
        try:
            card = Card.read(manifest.card_path(path))
        except ManifestError:
            card = None
    return About(
        records=records,
        card=card,
        counts=Counter((row.split, row.label) for row in predictions),
        hold_outs=_hold_outs(project, run),
        calibration=temperature.read(folder),
        elsewhere=elsewhere(folder),
    )


def text(run: Run, known: About) -> str:
    """Return the card as Markdown; raise RunError where run.json does not hold what a run holds."""
    with understood(f"run.json of {run.name}", "put it back from a copy, or train the run again", RunError):
        return _text(run, known)


def _text(run: Run, known: About) -> str:
    parts = [
        f"# Model card: {escaped(run.name)}",
        _summary(run, known),
        "## Data", *_data(run, known),
        "## Protocol", *_protocol(run),
        "## Figures", *_figures(run),
        "## The face, or the file?", _file_alone(run),
        "## Unseen generators and sources", *_unseen(run, known), known.elsewhere,
        "## Calibration", _calibration(known.calibration),
        "## Limits", "\n".join(f"- {line}" for line in _limits(run, known)),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _summary(run: Run, known: About) -> str:
    negative, positive = run.labels
    n = sum(known.counts.values())
    return (
        f"Tells portraits that are **{escaped(positive)}** (the positive class) from **{escaped(negative)}** ones. "
        f"Backbone {escaped(run.settings.get('arch', '?'))}, recipe `{escaped(_recipe(run))}`, {n} pictures. "
        "imageledger wrote this card from the files of the run; no line is filled in by hand."
    )


def _data(run: Run, known: About) -> list[str]:
    split = Counter[str]()
    for (side, _), count in known.counts.items():
        split[side] += count
    sides = ", ".join(f"{count} {side}" for side, count in sorted(split.items()))
    origin = f"manifest `{escaped(Path(run.manifest).name)}`" if run.manifest else "a folder"
    dataset = f"Dataset `{escaped(known.card.dataset)}`, " if known.card else ""
    lines = [f"{dataset}{origin}, digest `{escaped(run.manifest_digest)}`: {sides}."]
    if not known.records:
        why = "The manifest is gone or has changed" if run.manifest else "Pictures in a folder have no records"
        rows = [{"split": side, "label": label, "pictures": n} for (side, label), n in sorted(known.counts.items())]
        return [*lines, f"{why}: sources and licences are unknown.", table(rows)]
    lines.append(table(_sources(known.records)))
    if known.card:
        kept = ", ".join(
            f"{escaped(label)}: {', '.join(f'{count} {status}' for status, count in counts.items())}"
            for label, counts in known.card.counts.items()
        )
        lines.append(f"Of {known.card.rows} rows of the manifest, {kept}.")
    return [*lines, _steps(known.records)]


def _sources(records: Iterable[Record]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for record in records:
        key = (shown_source(record.source), record.label, record.generator, record.licence)
        counts.setdefault(key, Counter())[record.split] += 1
    return [
        {"source": source, "label": label, "generator": generator or "not stated", "licence": licence,
         "which means": concern(licence), "train": count["train"], "valid": count["valid"]}
        for (source, label, generator, licence), count in sorted(counts.items())
    ]  # fmt: skip


def shown_source(address: str) -> str:
    """Return the address of a source without what lies above its last two folders on this machine."""
    scheme, _, place = address.partition(":")
    if scheme not in ("folder", "zip"):
        return address
    parts = [part for part in place.replace("\\", "/").split("/") if part]
    return f"{scheme}:{'…/' if len(parts) > 2 else ''}{'/'.join(parts[-2:])}"


def _steps(records: Sequence[Record]) -> str:
    done = {step.did: step.settings for step in records[0].steps if step.did.partition("@")[0] in NEW_STEPS}
    if not done:
        return "The pictures are as they were fetched: no step changed them."
    lines = [
        f"- {did}: {', '.join(f'{key} {value}' for key, value in settings.items())}" for did, settings in done.items()
    ]
    return "Every picture, of both classes, went through the same steps:\n\n" + "\n".join(map(escaped, lines))


def _protocol(run: Run) -> list[str]:
    settings = dict(run.settings)
    weights = str(settings.get("weights", ""))
    digest = settings.get("weights_digest", "")
    start = {"none": "random numbers", "imagenet": "ImageNet weights of torchvision or timm"}.get(
        weights, f"{Path(weights).name} ({digest})"
    )
    rows: dict[str, Any] = {
        "protocol": PROTOCOLS.get(run.kind, run.kind).format(by=settings.get("by", "part")),
        "recipe": _recipe(run),
        "backbone": settings.get("arch", ""),
        "starts from": start,
        "schedule": settings.get("schedule", ""),
        "transforms": ", ".join(settings.get("transforms", ())),
        "size": f"{settings['size']} px" if "size" in settings else "",
        "batch": settings.get("batch_size", ""),
        "folds and repeats": f"{settings['folds']} x {settings['repeats']}" if "folds" in settings else "",
        "early stopping": _stopped(run) if "early_stopping" in settings else "",
        "seed": run.seed,
        "workers, threads, device": f"{run.workers}, {run.threads}, {run.device}",
        "versions": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
    }  # fmt: skip
    return [table([{"what": what, "how": value} for what, value in rows.items() if value != ""])]


def _recipe(run: Run) -> str:
    return current(str(run.settings.get("recipe", FINE_TUNE)))


def _stopped(run: Run) -> str:
    return metrics.chosen_epoch(run.early_stopping) if run.early_stopping else "no: the last epoch is kept"


def _figures(run: Run) -> list[str]:
    parts = []
    if run.evaluation.get("recall"):
        parts.append(table([{"figure": row[""], "value [95 % interval]": row["figure"], "how": row["how"]}
                             for row in evaluate.in_words(run.evaluation)]))  # fmt: skip
    if run.metrics and run.kind == SPLIT:
        parts.append(table([{"figure": row[""], **{side: row[side] for side in row if side}}
                             for row in metrics.in_words(run.metrics)]))  # fmt: skip
        parts.append(metrics.how_sure(run.metrics))
    if run.metrics and run.metrics["valid"]["accuracy"]["n"]:
        confusion = run.metrics["valid"]["confusion"]
        parts.append(table([{"": f"is {actual}", **{f"called {label}": count for label, count in row.items()}}
                             for actual, row in confusion.items()]))  # fmt: skip
    return parts or ["The run holds no figures."]


def _file_alone(run: Run) -> str:
    alone = run.file_alone
    if not alone:
        return (
            "Not measured: this needs a manifest with enough pictures of each class. Without it, the figures above may "
            "come from the faces or from the files."
        )
    verdict = {
        "SHORTCUT": "A classifier that never sees a face tells the classes apart by numbers about the files: some of "
        "the figures above may come from them.",
        "CLEAN": "The whole interval lies within 0.40–0.60; a leak in a few of the pictures may still be there.",
    }.get(str(alone["verdict"]).upper(), "With so few pictures, neither a shortcut nor its absence can be shown.")
    named = in_words(TOGETHER, str(alone["strongest"])) if alone.get("strongest") else ""
    strongest = f" The strongest single number: {escaped(named)}." if named else ""
    return (
        f"**{escaped(alone['verdict'])}**: measurements of the files, without the faces, reach an AUC of "
        f"{with_interval(alone['auc'], alone['low'], alone['high'])}; guessing has 0.5, and chance alone reaches "
        f"{alone['chance']:.2f}. {verdict}{strongest}{metrics.how_judged(alone)}"
    )


def _unseen(run: Run, known: About) -> list[str]:
    held = [run] if run.kind == HOLD_OUT else list(known.hold_outs)
    if not held:
        return [
            "Not tested: this project has no `train hold-out` of this manifest. How the model treats a generator or "
            "source that it has not seen is unknown, and that is where such models fail."
        ]
    parts = []
    for other in held:
        by = escaped(other.evaluation["by"])
        parts.append(f"Run `{escaped(other.name)}`, by {by}. {escaped(unseen.headline(other))}")
        parts += [table(unseen.rows(other)), *map(escaped, unseen.apart(other))]
    return parts


def _calibration(calibration: Calibration | None) -> str:
    if calibration is None:
        return (
            "None: the probabilities are the network's own, which is often too sure of itself. `audit calibration` "
            "fits a temperature."
        )
    rough = " So few pictures give only a rough fit." if calibration.rough else ""
    return (
        f"Temperature {with_interval(calibration.temperature, *calibration.interval)}, fitted on {calibration.n} "
        f"pictures that the model had not seen.{rough} Calibrated probabilities from {calibration.low:.2f} to "
        f"{calibration.high:.2f} get no verdict."
    )


def _limits(run: Run, known: About) -> list[str]:
    negative, positive = map(escaped, run.labels)
    n = sum(known.counts.values())
    generators = sorted({record.generator for record in known.records if record.label == run.labels[1]} - {""})
    lines = [
        f"The model has learned from {n} pictures: the intervals above are wide, and it does not know what is rare "
        "among these pictures.",
        "A verdict about one picture is no proof. For many pictures, the error rates above hold only if the pictures "
        "are like these, and both classes as frequent as here.",
        "The model was judged on pictures from the same sources as it was trained on. It does not know cameras, "
        "generators, retouching, filters and re-encodings that do not occur among them.",
    ]
    if len(generators) == 1:
        made = f"All {positive} pictures were made by {escaped(generators[0])}"
        lines.append(f"{made}: pictures by other generators may look {negative} to the model.")
    elif known.records and not generators:
        lines.append(f"Which generators made the {positive} pictures is not stated.")
    lines.append(
        "Whether the model errs more often for some people than for others was not measured; `audit slices` makes a "
        "start."
    )
    if any(concern(record.licence) for record in known.records):
        lines.append(
            "Some sources restrict what may be done with their pictures (see Data); that may extend to a model trained "
            "on them."
        )
    if any(record.source.startswith(DRAWN) for record in known.records):
        lines.append("These pictures are drawn (sample:): the figures mean nothing about real portraits.")
    return lines


def _hold_outs(project: Project, run: Run) -> list[Run]:
    runs = []
    for path in sorted(project.runs.glob("*/run.json")) if run.manifest_digest else ():
        try:
            other = Run.load(path.parent)
        except LedgerError:
            continue
        if other.kind == HOLD_OUT and other.manifest_digest == run.manifest_digest and path.parent.name[0] != ".":
            runs.append(other)
    return runs
