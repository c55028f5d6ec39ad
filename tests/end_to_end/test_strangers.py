"""Whatever a file of a project holds, a command that reads it ends in order or in a sentence with something to do.

The examples are drawn without chance (derandomize), so a run that finds something finds it again. make test draws 80;
IMAGELEDGER_EXAMPLES=5000 draws so many.
"""

import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import foreign_world
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imageledger.cli import main
from imageledger.config import Project, open_project
from imageledger.errors import LedgerError

EXAMPLES = int(os.environ.get("IMAGELEDGER_EXAMPLES", "80"))

COMMANDS = (
    ("status",), ("status", "--json"), ("verify",), ("verify", "--json"), ("curate", "run", "--dry-run"),
)  # fmt: skip


def sources(project: Project) -> None:
    from curate.fetch.select import select

    for entry in project.sources:
        if not entry.address.startswith("kaggle:"):  # nobody may be asked here
            select(entry, project)


def numbers(project: Project) -> None:
    from curate.evidence.measure import measure
    from imageledger import manifest

    measure(project, [row for row in manifest.read(project.manifest("manifest")) if row.file][:2], ("tone",), workers=1)


def settings_of_all(project: Project) -> None:
    from train.training.settings import train_settings

    train_settings(project, {})


def answers(project: Project) -> None:
    from train.answers import Answers

    for run in ("crossed", "first"):
        found = Answers.of(project, run)
        found.known()
        found.by_model()
        found.rounds()


def run_card(project: Project) -> None:
    from train.models import card
    from train.runs import Run

    for name in ("crossed", "first"):
        folder = project.runs / name
        run = Run.load(folder)
        card.text(run, card.about(project, run, folder))


def summary(project: Project) -> None:
    from train import door

    for name in ("crossed", "first"):
        door.summary(project, track=lambda rows, *_: iter(rows), folder=project.runs / name)


def dataset(project: Project) -> None:
    from imageledger.dataset.dataset import Dataset

    faces = Dataset(project.root, progress=False)
    repr(faces)
    len(faces)
    faces.status()


def looks(project: Project) -> None:
    from curate.evidence.looks import look

    look(project, "final", [], 0)


def ledger_of(project: Project) -> None:
    from curate.sources import ledger, stamps

    ledger.entry(project, "folder:pictures")
    stamps.read(project, "folder:pictures")


def listing(project: Project) -> None:
    from curate.sources.downloads import Dataset, open_kaggle

    source = open_kaggle("kaggle:a/b@1", project) if _is_known(project) else None
    if isinstance(source, Dataset):
        source.file_by_file().members()


def _is_known(project: Project) -> bool:
    """Whether the ledger spares the question to Kaggle, which nobody may ask here."""
    from curate.sources import ledger

    return "published_licence" in ledger.entry(project, "kaggle:a/b@1")


def exported(project: Project) -> None:
    from train.models import package

    package.read(project.root / "exported")


READERS: tuple[Callable[[Project], None], ...] = (
    sources, numbers, settings_of_all, answers, run_card, summary, dataset, looks, ledger_of, listing,
    exported,
)  # fmt: skip


def commands_said(root: Path) -> Iterator[str]:
    """Run the commands, and yield what none of them may do: raise, or end in anything but a sentence with a way on."""
    for words in COMMANDS:
        ended = CliRunner().invoke(main, [*words, "--project", str(root)])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            yield f"{' '.join(words)}: {trace(ended.exception)}"
        elif ended.exit_code and not ("Error: " in ended.stderr and "Try: " in ended.stderr):
            yield f"{' '.join(words)}: exit {ended.exit_code}: {ended.stderr[-300:]}"


def readers_said(root: Path) -> Iterator[str]:
    """Call what commands read with, and yield each error that is no sentence, or has nothing to do next."""
    try:
        project = open_project(root)
    except LedgerError:
        return  # the commands have said so
    for reader in READERS:
        try:
            reader(project)
        except LedgerError as error:
            if not error.hint:
                yield f"{reader.__name__}: nothing to do next: {error.what[:300]}"
        except Exception as error:
            yield f"{reader.__name__}: {trace(error)}"


def trace(error: BaseException) -> str:
    """Name an error that is a bug, and the last lines that led to it."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return f"{type(error).__name__}: {str(error)[:200]} at {' '.join(places[-4:])}"


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> tuple[Project, dict[str, bytes]]:
    """A project that is whole before and after each example, and what its files hold then."""
    project = foreign_world.build(tmp_path_factory.mktemp("strangers") / "project")
    assert [*commands_said(project.root), *readers_said(project.root)] == []
    return project, {name: (project.root / name).read_bytes() for name in foreign_world.targets(project)}


@pytest.mark.long
@settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip
@given(data=st.data())
def test_no_file_of_a_stranger_ends_a_command_with_a_traceback(world, data):
    project, sound = world
    name = data.draw(st.sampled_from(sorted(sound)), label="file")
    content = data.draw(foreign_world.harmed(name, sound[name]), label="content")
    vouched = data.draw(st.booleans(), label="the card vouches for it")
    (project.root / name).write_bytes(content)
    if vouched:
        foreign_world.vouch(project, name)
    try:
        said = [*commands_said(project.root), *readers_said(project.root)]
    finally:
        foreign_world.restore(project, sound)
    assert said == []
