"""Every command that the project quotes: in its documents, in help texts, in hints and other strings of the source."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import click
from source_tree import PACKAGES, ROOT, name_of, sources, tree_of

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "data/README.md", "manifests/README.md", "Makefile")
VERB = "the|a|it|and|or|both|again|on|with|without|of"
"""What follows the English verb "train" or "audit", and no command is called."""

STARTS = re.compile(rf"(?<![\w./:-])({'|'.join(PACKAGES)}) (?!(?:{VERB})\b)([a-z][a-z-]*)\b(?![\w./:]*[/(_])")
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.M | re.S)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
WORDS = re.compile(r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"|>;#])+|[|>;#]")
UNKNOWN = "NAME"
"""What stands for the parts of an f-string that are known only at run time: a placeholder like any other."""


@dataclass(frozen=True)
class Quoted:
    """A command as it is quoted, and where; `words` begin with the name of the group."""

    where: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.where}: {' '.join(self.words)}"


@cache
def group_of(name: str) -> click.Group:
    group = import_module(f"{name}.cli").main
    assert isinstance(group, click.Group)
    return group


def named(words: tuple[str, ...]) -> tuple[click.Group, click.Command | None, tuple[str, ...]]:
    """Return the group, its command if there is such a command, and the arguments behind it."""
    group, rest = group_of(words[0]), words[1:]
    command = group.get_command(click.Context(group), rest[0])
    if isinstance(command, click.Group):
        return (*named(rest),) if len(rest) > 1 else (group, command, ())
    return group, command, rest[1:]


def everywhere() -> Iterator[Quoted]:
    for path in [*(ROOT / name for name in DOCUMENTS), *sorted((ROOT / "docs").glob("*.md"))]:
        yield from in_document(name_of(path), path.read_text(encoding="utf-8"))
    for path in sorted([*ROOT.glob("*/templates/*")]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield from in_prose(f"{name_of(path)}:{number}", line)
    for path in sources(*PACKAGES):
        yield from in_source(path)


def in_document(where: str, text: str) -> Iterator[Quoted]:
    for block in FENCE.findall(text):
        for line in block.splitlines():
            if start := STARTS.match(line.strip().removeprefix("$ ")):
                yield Quoted(where, exactly(start.string))
    for code in INLINE.findall(FENCE.sub("", text)):
        if STARTS.match(code):
            yield Quoted(where, exactly(code))


def in_source(path: Path) -> Iterator[Quoted]:
    """Yield the commands in the strings of a module; those of an f-string are read as a whole."""
    parts = {part for node in ast.walk(tree_of(path)) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree_of(path)):
        where = f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.JoinedStr):
            yield from in_prose(where, "".join(getattr(value, "value", "") if isinstance(value, ast.Constant)
                                               else UNKNOWN for value in node.values))  # fmt: skip
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield from in_prose(where, node.value)


def in_prose(where: str, text: str) -> Iterator[Quoted]:
    """Yield what stands in backticks, examples on lines of their own, and commands within sentences."""
    for code in INLINE.findall(text):
        if STARTS.match(code):
            yield Quoted(where, exactly(code))
    for line in INLINE.sub("", text).splitlines():
        for start in STARTS.finditer(line):
            words = example(line) if start.start() == len(line) - len(line.lstrip()) and "   " in line.strip() else (
                within(line[start.start() :])
            )  # fmt: skip
            alone = start.start() == 0 or line[: start.start()].rstrip().endswith((";", "("))
            if alone or named(words)[1]:
                yield Quoted(where, words)


def exactly(text: str) -> tuple[str, ...]:
    """Return the words of a command that ends where the text, a pipe, a redirection or a comment does."""
    words = []
    for word in WORDS.findall(text):
        if word in "|>;#":
            break
        if word not in ("…", "..."):
            words.append(word.strip("'\"[]").removesuffix("…").removesuffix("..."))
    return tuple(word for word in words if word)


def example(line: str) -> tuple[str, ...]:
    """Return the words of an example in a help text, whose explanation stands some spaces to the right."""
    return exactly(re.split(r"\s{2,}", line.strip())[0])


def within(text: str) -> tuple[str, ...]:
    """Return the words of a command within a sentence: it ends with the first word that can be no argument."""
    words: list[str] = []
    waiting = 2
    for word in WORDS.findall(text):
        bare = word.rstrip(".,;:)")
        if word in "|>;#" or not bare:
            break
        if not waiting and not re.match(r"-|'|\"|[A-Z][A-Z]|.*[/*=:]|\d", bare):
            break
        waiting = max(0, waiting - 1)
        words.append(bare.strip("'\"[]"))
        if bare != word:
            break
        if len(words) > 2 and bare.startswith("-") and "=" not in bare:
            waiting = takes(tuple(words[:2]), bare)
    return tuple(words)


def takes(words: tuple[str, ...], option: str) -> int:
    """Return how many values an option of a command takes."""
    for param in getattr(named(words)[1], "params", ()):
        if isinstance(param, click.Option) and option in param.opts:
            return 0 if param.is_flag or param.count else param.nargs
    return 0
