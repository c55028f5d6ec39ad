"""Bring pictures from elsewhere through the steps of a run, and ask its models about them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from audit.findings import Report
from audit.foreign import report
from curate.pictures.formats import claims_picture
from curate.sources import BadMember, Source, open_source
from imageledger.config import Project
from imageledger.engines.local import cores, ordered_map
from imageledger.errors import LedgerError, RunError
from imageledger.record import OK, UNREADABLE, Record
from imageledger.types import Floats, Track, untracked
from train.answers import Answers
from train.evaluation.foreign import FEWEST, Asked, judge, together
from train.evaluation.metrics import mean_of
from train.models import steps as applying
from train.models.steps import Applied, Applier

IN_THE_SET = "in the dataset already"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSettings:
    """Where the pictures come from, what they are, and how many to ask about at most.

    `matte_model` is the cut-out model of one's own that the run's pictures went through, where the project does not
    declare it.
    """

    source: str
    label: str
    limit: int = 200
    matte_model: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture from elsewhere: its name there, what became of it, and P(positive), the mean over the models.

    `image` is what they saw.
    """

    member: str
    status: str = OK
    reason: str = ""
    share: float | None = None
    image: Image.Image | None = field(default=None, repr=False)


def foreign(
    project: Project, run: str | Path | None = None, *, settings: ForeignSettings, track: Track = untracked
) -> Report:
    """Report whether a run's models tell pictures of one label from elsewhere from the set's own.

    Raises RunError for a label that the run does not have, a run on a folder, and too few pictures of either kind;
    SourceError for a source that cannot be opened; LedgerError where torch cannot be used.
    """
    all_answers = Answers.of(project, run)
    answers = all_answers.held_out()
    if settings.label not in answers.labels:
        raise RunError(f"the run has no label {settings.label!r}", f"its labels: {', '.join(answers.labels)}")
    own = answers.positive == (settings.label == answers.labels[1])
    if int(own.sum()) < FEWEST:
        raise RunError(f"run {answers.run.name} has judged {int(own.sum())} {settings.label} pictures",
                       f"at least {FEWEST} are needed; train cross-validate judges every picture")  # fmt: skip
    applied = _applied(project, all_answers.known(), settings, track)
    images = [result.image for _, result in applied if result.image is not None]
    if len(images) < FEWEST:
        raise RunError(
            f"{len(images)} of {len(applied)} pictures of {settings.source} went through the steps of the run: "
            f"{_reasons(applied)}",
            f"at least {FEWEST} are needed",
        )
    parts, shares = _asked(answers, own, images, track)
    means = iter([mean_of(column) for column in shares.T.tolist()])
    pictures = [
        Picture(member=member, status=result.status, reason=result.reason,
                share=next(means) if result.image is not None else None, image=result.image)
        for member, result in applied
    ]  # fmt: skip
    judged = judge(together(parts), positive=settings.label == answers.labels[1])
    return report.report(answers, settings.source, settings.label, judged, pictures, answers.folder / "audit")


def _applied(
    project: Project, own: Sequence[Record], settings: ForeignSettings, track: Track
) -> list[tuple[str, Applied]]:  # fmt: skip
    """Take the pictures of a source through the normalize and whiten steps of the run's own pictures."""
    steps = applying.steps_of(own)
    declared = project.tables.get("whiten", {}).get("model_path")
    matte = settings.matte_model
    if matte is None and steps.matte_model and isinstance(declared, str):
        matte = project.root / Path(declared).expanduser()
    applier = applying.applier(steps, matte)
    address = settings.source if ":" in settings.source else f"folder:{settings.source}"
    source = open_source(address, project)
    names = sorted(member.name for member in source.members() if claims_picture(member.name))
    lots = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[: settings.limit]
    known = frozenset(record.origin.partition(".")[0] for record in own)
    work = partial(_through, applier=applier, known=known)
    read = ((job, None) for job in _read(source, sorted(lots)))
    results = ordered_map(work, read, workers=cores())
    return list(track(results, len(lots), "preparing foreign pictures"))


def _read(source: Source, names: Sequence[str]) -> Iterator[tuple[str, bytes | BadMember]]:
    for name in names:
        try:
            yield name, source.read(name)
        except BadMember as error:
            yield name, error


def _through(
    job: tuple[str, bytes | BadMember], *, applier: Applier, known: frozenset[str]
) -> tuple[str, Applied]:  # fmt: skip
    name, content = job
    if isinstance(content, BadMember):
        return name, Applied(status=content.status, reason=content.reason)
    if hashlib.sha256(content).hexdigest() in known:
        return name, Applied(status=UNREADABLE, reason=IN_THE_SET)
    result = applier(content)
    return name, Applied(status=result.status, reason=result.reason, image=result.image)


def _asked(
    answers: Answers, own: np.ndarray, images: Sequence[Image.Image], track: Track
) -> tuple[list[Asked], Floats]:  # fmt: skip
    """Ask every model about all foreign pictures; return the answers, and the foreign ones by model."""
    try:
        from train.network import predicting

        parts, rows = [], []
        by_model = answers.by_model()
        groups, pictures = answers.group_numbers, len(answers.predictions)
        for number, (folder, held) in enumerate(track(by_model, len(by_model), "asking the models")):
            shares = np.array(list(predicting.predict(predicting.load(folder), images)))
            column = [model.folder for model in answers.models].index(folder)
            mine = [row for row in held if own[row]]
            rows.append(shares)
            parts.append(Asked(
                shares=np.concatenate([answers.table[mine, column], shares]),
                foreign=np.repeat([False, True], [len(mine), len(shares)]),
                groups=np.concatenate([groups[mine], pictures + np.arange(len(shares))]).astype(np.intp),
                models=np.full(len(mine) + len(shares), number, dtype=np.intp),
            ))  # fmt: skip
    except (ImportError, OSError, RuntimeError) as error:
        raise LedgerError(f"torch cannot be used: {error}") from error
    return parts, np.stack(rows)


def _reasons(applied: Sequence[tuple[str, Applied]]) -> str:
    reasons = [result.reason for _, result in applied if result.reason]
    return max(set(reasons), key=reasons.count) if reasons else "no picture was found"
