"""What a model leans on, written for people: sentences, two tables, CSV, a figure, and one object for scripts."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from audit.reliance import figure as reliance_figure
from audit.reliance.judge import INDEPENDENT, RELIES, WEAK, Beside, Link, Reliance, Share
from audit.reliance.swaps import Swap
from audit.reliance.work import Audit
from audit.words import DRAWN_NOTE
from curate.evidence.probe import ALL
from imageledger.intervals import share_in_words, wilson
from imageledger.sheet import visible
from imageledger.spreadsheet import as_csv
from imageledger.store import write_whole

CSV_FIELDS = ("family", "auc", "among_negative", "among_positive", "rho", "low", "high", "p")


def write(audit: Audit, folder: Path) -> dict[str, Path]:
    """Write reliance.csv (a row a family) and reliance.png into a folder and return their paths by kind."""
    files = {kind: folder / f"reliance.{kind}" for kind in ("csv", "png")}
    rows = [
        dict(zip(CSV_FIELDS, (one.family, one.auc, *one.by_class, one.rho, one.low, one.high, one.p), strict=True))
        for one in audit.reliance.links
    ]
    write_whole(files["csv"], as_csv(CSV_FIELDS, rows).encode("utf-8", errors="backslashreplace"))
    write_whole(files["png"], reliance_figure.png(audit, f"{audit.reliance.verdict}: {in_short(audit.reliance)}"))
    return files


def sentences(audit: Audit) -> list[str]:
    """Say how much of the accuracy the file alone would have given, whether the model leans on it, and how we know."""
    found = audit.reliance
    drawn = [DRAWN_NOTE] if audit.drawn else []
    return [*drawn, headline(found), f"{found.verdict}: {_reason(audit)}", _misled(found), *_swaps(audit),
            *_beside(audit)]  # fmt: skip


def in_short(found: Reliance) -> str:
    """Say the verdict in a line."""
    if found.verdict == RELIES:
        return "the model leans on what the file gives away"
    if found.verdict == INDEPENDENT:
        return "the model does not follow the file"
    return "nothing shows for certain that the model leans on the file"


def headline(found: Reliance) -> str:
    """Say in one sentence how much of the accuracy the file alone would have given."""
    said = f"The model is right on {_in_words(found.model)}; the file alone would have given {_in_words(found.file)}; "
    if not found.lead:
        return said + "the model is no better than chance, so there is no lead to explain."
    share, most = found.from_file
    lead = f"of the model's lead of {100 * found.lead:.0f} points over chance "
    if share >= found.lead:
        return f"{said}{lead}all could come from the file."
    return f"{said}{lead}about {100 * share:.0f} could come from the file, at most {100 * most:.0f}."


def table(found: Reliance, labels: tuple[str, str]) -> list[dict[str, Any]]:
    """Return one row a family: how well it separates the classes, and how far the model follows it within them."""
    return [
        {
            "family": "all together" if one.family == ALL else one.family.replace("_", " "),
            "AUC of the file": one.auc,
            f"among {labels[0]}": one.by_class[0],
            f"among {labels[1]}": one.by_class[1],
            "model follows": f"{one.rho:+.2f} [{one.low:+.2f} to {one.high:+.2f}]",
            "p": one.p,
        }
        for one in found.links
    ]


def swap_table(swaps: tuple[Swap, ...]) -> list[dict[str, Any]]:
    """Return one row a direction: what was changed, and how many answers with it."""
    return [
        {
            "pictures": f"{one.pictures} {one.label}",
            "delivered as": f"{one.other} ({delivered(one)})",
            "flipped": _flips(one.flipped, one.pictures),
            "flipped by a placebo": _flips(one.placebo, one.pictures),
            "logit shift": one.shift,
            "p": one.p,
        }
        for one in swaps
    ]


def delivered(one: Swap) -> str:
    """Name a delivery, such as "JPEG q75, 1024 px, background 118"."""
    quality = f"JPEG q{one.delivery.quality}" if one.delivery.quality else "lossless"
    return f"{quality}, {one.delivery.side} px, background {one.delivery.background:.0f}"


def plain(audit: Audit, files: dict[str, Path]) -> dict[str, Any]:
    """Return the whole audit as one object for --json."""
    found = audit.reliance
    shares = {name: getattr(found, name) for name in ("model", "file", "where_right", "where_wrong")}
    return {
        "run": audit.run.name,
        "labels": list(audit.run.labels),
        "split": audit.split,
        "verdict": found.verdict,
        "sentences": sentences(audit),
        "warnings": list(audit.warnings),
        "accuracy": {name: _plain_share(share) for name, share in shares.items()},
        "accuracy_p": found.p,
        "chance": found.chance,
        "lead": found.lead,
        "from_file": {"share": found.from_file[0], "most": found.from_file[1]},
        "links": [{**asdict(one), "by_class": dict(zip(audit.run.labels, one.by_class, strict=True))}
                  for one in found.links],
        "swaps": [{**asdict(one), "interval": list(wilson(one.flipped, one.pictures)),
                   "placebo_interval": list(wilson(one.placebo, one.pictures))} for one in found.swaps],
        "swaps_skipped": audit.skipped,
        "beside": asdict(audit.beside) | {"shown": audit.beside.shown} if audit.beside else None,
        "files": {kind: str(path) for kind, path in files.items()},
    }  # fmt: skip


def _reason(audit: Audit) -> str:
    found = audit.reliance
    told = [_followed(link) for link in found.followed[:3]]
    told += [f"{one.label} pictures delivered as {one.other} move towards {one.other} (p = {one.p:.1g})"
             for one in found.moved]  # fmt: skip
    if found.verdict == RELIES:
        return f"{in_short(found)}: {'; '.join(told)}."
    joint, n = found.joint, found.model.total
    if found.verdict == INDEPENDENT:
        return (
            f"within the classes the model's answers do not follow the file (rank correlation {joint.rho:+.2f}, "
            f"above {WEAK} excluded by its 95 % interval)."
        )
    return (
        f"{in_short(found)} (rank correlation {joint.rho:+.2f}), but with "
        f"{n} pictures one of {joint.high:.2f} cannot be excluded."
    )


def _followed(link: Link) -> str:
    name = "all families together" if link.family == ALL else link.family.replace("_", " ")
    return f"within the classes its answers follow {name} (rank correlation {link.rho:+.2f}, p = {link.p:.1g})"


def _misled(found: Reliance) -> str:
    if not found.where_wrong.total or not found.where_right.total:
        return "The file alone is never right, or never wrong, so it cannot be told from the face here."
    return (
        f"Where the file misleads the model is right on {_in_words(found.where_wrong)}, elsewhere on "
        f"{_in_words(found.where_right)} (Fisher's exact test, p = {found.p:.2g})."
    )


def _swaps(audit: Audit) -> list[str]:
    if audit.skipped:
        return [f"No deliveries were swapped: {audit.skipped}."]
    return [
        f"Delivered as {one.other} pictures were, {_flips(one.flipped, one.pictures)} of the {one.label} pictures are "
        f"called something else; delivered as their own class was, {one.placebo}."
        for one in audit.reliance.swaps
    ]


def _beside(audit: Audit) -> list[str]:
    if audit.beside is None:
        return []
    one = audit.beside
    name, more = visible(one.name), "more" if one.value > 0 else "less"
    told = (
        f"rank correlation {one.mine.rho:+.2f} against {one.theirs.rho:+.2f}, difference {one.value:+.2f} "
        f"[{one.low:+.2f} to {one.high:+.2f}]"
    )
    if one.shown:
        return [f"It follows the file {more} than run {name} does: {told}.", _noise(one)]
    return [f"Whether it follows the file more or less than run {name} does is not decided: {told}.", _noise(one)]


def _noise(one: Beside) -> str:
    if one.reliability is None:
        return (
            "A model whose answers change from one training to the next follows everything less closely, the file too: "
            "train cross-validate both with --repeats 3, and that noise is taken out of this comparison."
        )
    mine, theirs = one.reliability
    return (
        "The noise of training is taken out of both: the reliability of their answers within a class is "
        f"{mine:.2f} and {theirs:.2f}."
    )


def _flips(flipped: int, total: int) -> str:
    low, high = wilson(flipped, total)
    return f"{flipped}/{total} ({100 * low:.0f}-{100 * high:.0f} %)"


def _in_words(share: Share) -> str:
    return share_in_words(share.hits, share.total)


def _plain_share(share: Share) -> dict[str, Any]:
    return {"hits": share.hits, "n": share.total, "share": share.share, "interval": list(share.interval)}
