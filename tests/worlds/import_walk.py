"""Every import of a source tree: at the top, inside functions, and through strings that name a module."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from source_tree import PACKAGES, ROOT, tree_of

LOADERS = ("import_module", "__import__", "need", "load")
"""Functions whose first argument names a module."""

ADDRESS = re.compile(rf"(?:{'|'.join(PACKAGES)})[.:][\w.?]+(?::[\w.]+)?")
"""What a string looks like that names a module of ours, "?" standing for whatever is known only at run time."""

MODULE = re.compile(r"[\w?]+(?:\.[\w?]+)*(?::[\w.]+)?")
UNKNOWN = "?"


@dataclass(frozen=True)
class Import:
    """One import, relative ones and strings resolved; `runs` is False under TYPE_CHECKING, `top` at module level."""

    importer: str
    file: str
    line: int
    module: str
    top: bool
    runs: bool
    by_name: bool = False

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]

    @property
    def lists_its_own_folder(self) -> bool:
        """Whether a package's own `__init__` names one of its submodules: a registry, which loads it when asked."""
        return self.by_name and self.file == f"{self.importer.replace('.', '/')}/__init__.py" and (
            self.module.startswith(f"{self.importer}.")
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


@dataclass(frozen=True)
class Walk:
    """The imports of the packages below a folder."""

    root: Path = ROOT

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """The modules by their dotted names."""
        paths = sorted(path for package in PACKAGES for path in (self.root / package).rglob("*.py"))
        return {self.module_of(path): path for path in paths}

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(line for path in self.files.values() for line in self.imports_in(path))

    def module_of(self, path: Path) -> str:
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def imports_in(self, path: Path) -> Iterator[Import]:
        yield from self._below(tree_of(path), path, top=True, runs=True)

    def _below(self, node: ast.AST, path: Path, top: bool, runs: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            for module, by_name in self._named(child, path):
                line = getattr(child, "lineno", 0)
                file = path.relative_to(self.root).as_posix()
                yield Import(self.module_of(path), file, line, module, top, runs, by_name)
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from self._below(child, path, top and not inside, runs and not typing)

    def _named(self, node: ast.AST, path: Path) -> Iterator[tuple[str, bool]]:
        """Name the modules that a single node imports, and whether it does so through a string."""
        match node:
            case ast.Import(names=names):
                yield from ((name.name, False) for name in names)
            case ast.ImportFrom(names=names):
                base = self._base(node, path)
                yield from (
                    (module, False) for module in dict.fromkeys(self._behind(base, name.name) for name in names)
                )
            case ast.Call(func=func, args=[first, *_]) if called(func) in LOADERS:
                text = self._text(first, path)
                plain = called(func) == "load" and not {".", ":"} & set(text)  # a name in a registry
                if text.strip(UNKNOWN) and MODULE.fullmatch(text) and not plain:
                    yield from ((module, True) for module in self._matching(text) or [text.partition(":")[0]])
            case ast.Constant(value=str()) | ast.JoinedStr() | ast.BinOp(op=ast.Add()):
                text = self._text(node, path)
                if ADDRESS.fullmatch(text):
                    yield from ((module, True) for module in self._matching(text))

    def _base(self, node: ast.ImportFrom, path: Path) -> str:
        if not node.level:
            return node.module or ""
        parts = path.relative_to(self.root).with_suffix("").parts[: -node.level]
        return ".".join(filter(None, (*parts, node.module)))

    def _behind(self, base: str, name: str) -> str:
        """Return the module that `from base import name` imports: that of the name, where it is one of ours."""
        return f"{base}.{name}" if f"{base}.{name}" in self.files else base

    def _matching(self, text: str) -> list[str]:
        """Return our modules that "module:attribute" may name, unknown parts standing for anything."""
        pattern = re.escape(text.partition(":")[0]).replace(re.escape(UNKNOWN), r"\w+(\.\w+)*")
        return [module for module in self.files if re.fullmatch(pattern, module)]

    def _text(self, node: ast.expr, path: Path) -> str:
        """Return the value of an expression as far as the source tells it, with "?" for every part it does not."""
        match node:
            case ast.Constant(value=str(text)):
                return text.replace(UNKNOWN, " ")
            case ast.JoinedStr(values=values):
                return "".join(self._text(value, path) for value in values)
            case ast.FormattedValue(value=value):
                return self._text(value, path)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._text(left, path) + self._text(right, path)
            case ast.Name(id=name):
                return self._constant(name, path)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                target = self._imported(module, path)
                return self._constant(name, self.files[target]) if target in self.files else UNKNOWN
        return UNKNOWN

    def _constant(self, name: str, path: Path) -> str:
        """Return a constant of a module, which may have come there from another of ours."""
        for node in tree_of(path).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    return self._text(value, path)
                case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                    return self._text(value, path)
                case ast.ImportFrom(names=names) if any((each.asname or each.name) == name for each in names):
                    base = self._base(node, path)
                    original = next(each.name for each in names if (each.asname or each.name) == name)
                    return self._constant(original, self.files[base]) if base in self.files else UNKNOWN
        return UNKNOWN

    def _imported(self, name: str, path: Path) -> str:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom):
                for each in node.names:
                    if (each.asname or each.name) == name:
                        return self._behind(self._base(node, path), each.name)
        return ""

    def against_the_way(self) -> list[str]:
        """Return the imports that run from a lower leg to a higher one, whoever makes them and however.

        Under TYPE_CHECKING nothing is imported: the Python door may say there what a leg's call returns.
        """
        return [
            str(line)
            for line in self.imports
            if line.runs
            and line.package in PACKAGES
            and PACKAGES.index(line.package) > PACKAGES.index(line.importer.partition(".")[0])
        ]

    def circles(self) -> list[str]:
        """Return the circles of imports, those inside functions counted, but for registries of their own folder."""
        arrows: dict[str, set[str]] = {module: set() for module in self.files}
        for line in self.imports:
            if line.runs and line.module in arrows and line.module != line.importer and not line.lists_its_own_folder:
                arrows[line.importer].add(line.module)
        return list(_circles(arrows))


def called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _circles(arrows: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield for every arrow that closes a circle the way around it, the modules being walked by their names."""
    finished: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> Iterator[str]:
        if module in way:
            yield " -> ".join((*way[way.index(module) :], module))
        elif module not in finished:
            for target in sorted(arrows[module]):
                yield from walk(target, (*way, module))
            finished.add(module)

    for module in sorted(arrows):
        yield from walk(module, ())
