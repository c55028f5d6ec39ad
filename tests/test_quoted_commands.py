"""Every command that stands in a document, a help text, an advice or a hint is one that the program takes."""

import re

import click
import pytest
from quoted_commands import Quoted, everywhere, exactly, in_prose, named

PLACEHOLDER = re.compile(r"[A-Z][A-Z_-]*(\.\w+)?|\d+-\d+|R-K")


@pytest.fixture
def lenient(monkeypatch):
    """Take a placeholder such as RUN or N for a value of any type, and every path for one that exists."""
    convert = click.ParamType.__call__

    def called(self, value, param=None, ctx=None):
        if isinstance(self, click.Path | click.File) or (isinstance(value, str) and PLACEHOLDER.fullmatch(value)):
            return value
        return convert(self, value, param, ctx)

    monkeypatch.setattr(click.ParamType, "__call__", called)


def fault(quoted: Quoted) -> str | None:
    """Return why click would refuse a command; one that is only named, without arguments, must exist."""
    group, command, arguments = named(quoted.words)
    if command is None:
        return f"{quoted}: there is no such command"
    if arguments and arguments != ("--help",):
        try:
            command.make_context(command.name, list(arguments), parent=click.Context(group)).close()
        except click.UsageError as error:
            return f"{quoted}: {error.format_message()}"
    return None


def test_every_quoted_command_is_taken_by_the_parser(lenient):
    quoted = list(everywhere())
    assert len(quoted) > 150
    assert [wrong for wrong in map(fault, quoted) if wrong] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("match them (curate manifest --match), or not", "requires an argument"),
        ("`curate manifest --match`", "requires an argument"),
        ("curate status counts the rows", "no such command"),
        ("`audit shortcuts --satge all`", "No such option"),
        ("train run --recipe weak is a start", "'weak'"),
        ("`train run one two three`", "unexpected extra argument"),
    ],
)
def test_a_command_that_the_program_would_refuse_is_found(lenient, text, wrong):
    (found,) = in_prose("somewhere", text)
    assert wrong in str(fault(found))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("curate dedupe --distance 12 and then more", "curate dedupe --distance 12"),
        ("curate fetch SOURCE makes the first one", "curate fetch SOURCE"),
        ("train export RUN -o FILE.zip makes one", "train export RUN -o FILE.zip"),
        ("it is settled (curate whiten --region face).", "curate whiten --region face"),
        ("the model; train predict says *unsure*", "train predict"),
    ],
)
def test_a_command_within_a_sentence_ends_where_its_arguments_do(text, words):
    assert [" ".join(quoted.words) for quoted in in_prose("", text)] == [words]


def test_a_pipe_a_comment_and_an_ellipsis_are_no_part_of_a_command():
    assert exactly("audit slices first --json | jq '.slices'") == ("audit", "slices", "first", "--json")
    assert exactly("curate fetch a:b --labels 'real/**=real,x=ai'   # more") == (
        "curate", "fetch", "a:b", "--labels", "real/**=real,x=ai"
    )  # fmt: skip
    assert exactly("train compare RUN...") == ("train", "compare", "RUN")
