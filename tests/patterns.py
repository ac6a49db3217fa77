"""Every regular expression of the code, with how the code uses it; and those that hide.

The values come from the imported modules, so a pattern may be put together in any way there. How
it is used, and whether each one is among those values, comes from the syntax trees.
"""

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from msgspec import Struct

from tests.cases import TOP

PACKAGES = ("ghapp", "workers")
NOT_IMPORTED = ("__main__", "ghapp.store.migrations")
"""Modules that act when they are imported; `hidden` allows no pattern in them."""

EVERY_USE = frozenset({"match", "fullmatch", "finditer"})
USES: Mapping[str, frozenset[str]] = {
    "match": frozenset({"match"}),
    "fullmatch": frozenset({"fullmatch"}),
    "search": frozenset({"search"}),
    **dict.fromkeys(("sub", "subn", "split", "findall", "finditer"), frozenset({"finditer"})),
    "pattern": frozenset({"match"}),
}
"""Attribute of a pattern → what has to be tried; ``finditer`` searches from every place."""
_HARMLESS = {"Match", "Pattern", "compile", "error", "escape"}
_MAKERS = {"re", "fnmatch", "glob", "regex", "re2", "sre_compile", "re._compiler"}
"""Modules that make patterns; of these, only `re` may make one that meets outside text."""


class Pattern(NamedTuple):
    """A pattern, where the code names it, and the methods that the code uses."""

    name: str
    text: str | bytes
    flags: int
    uses: frozenset[str]


class Hidden(NamedTuple):
    """A place where a pattern is made that the values of the modules do not show."""

    place: str
    """File and function, such as ``ghapp/log.py: LogRedaction.__init__``."""
    found: str


class _Module(NamedTuple):
    name: str
    path: Path
    tree: ast.Module

    @property
    def is_imported(self) -> bool:
        return not self.name.startswith(NOT_IMPORTED) and not self.name.endswith(NOT_IMPORTED)

    @property
    def room(self) -> str:
        return ".".join(self.name.split(".")[:2])


@cache
def _modules() -> tuple[_Module, ...]:
    files = sorted(path for package in PACKAGES for path in (TOP / package).rglob("*.py"))
    return tuple(_Module(_name(path), path, ast.parse(path.read_text("utf-8"))) for path in files)


def _name(path: Path) -> str:
    return ".".join(path.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__")


def rooms() -> list[str]:
    """Return all rooms, and modules that stand in none, as far as they are imported."""
    files = (path for package in PACKAGES for path in (TOP / package).rglob("*.py"))
    return sorted({".".join(_name(path).split(".")[:2]) for path in files})


@cache
def patterns(room: str) -> tuple[Pattern, ...]:
    """Return the patterns of a room, each once, with all uses that the code makes of it."""
    found: dict[tuple[str | bytes, int], list[str]] = {}
    for module in _modules():
        if module.room == room and module.is_imported:
            for name, pattern in own(module):
                found.setdefault((pattern.pattern, pattern.flags), []).append(name)
    named = [
        Pattern(f"{names[0]}", text, flags, _uses(names)) for (text, flags), names in found.items()
    ]
    checked = [
        Pattern(f"{module.name}: pattern of a Meta", text, 0, frozenset({"search"}))
        for module in _modules()
        if module.room == room
        for text in _of_metas(module.tree)
    ]
    return (*named, *checked)


def own(module: _Module) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield the patterns of a module, but those that it has from another one."""
    others = {
        f"{module.name}.{one.asname or one.name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for one in node.names
    }
    for name, pattern in of_module(importlib.import_module(module.name)):
        if re.split(r"[\[(]", name)[0] not in others:
            yield name, pattern


def of_module(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield the patterns in the values of a module and of its classes, by name."""
    for name, value in list(vars(module).items()):
        if not name.startswith("__") and not isinstance(value, ModuleType):
            yield from _within(value, f"{module.__name__}.{name}", module.__name__, 4)


def _within(
    value: object, name: str, module: str, depth: int
) -> Iterator[tuple[str, re.Pattern[Any]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif depth:
        for key, inner in _parts(value, module):
            yield from _within(inner, f"{name}{key}", module, depth - 1)


def _parts(value: object, module: str) -> Iterable[tuple[str, object]]:
    """Return what a value holds: members of collections, frozen nouns, classes and partials."""
    found: Iterable[tuple[str, object]] = ()
    if isinstance(value, Mapping):
        found = [(f"[{key!r}]", inner) for key, inner in value.items()]
    elif isinstance(value, tuple | list | set | frozenset):
        found = [(f"[{number}]", inner) for number, inner in enumerate(value)]
    elif isinstance(value, partial):
        found = [("()", (value.func, value.args, value.keywords))]
    elif isinstance(value, type) and value.__module__ == module:
        found = [(f".{name}", inner) for name, inner in vars(value).items()]
    elif isinstance(value, Struct):
        found = [(f".{field}", getattr(value, field)) for field in value.__struct_fields__]
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = [(f".{one.name}", getattr(value, one.name)) for one in dataclasses.fields(value)]
    return found


def _uses(names: Iterable[str]) -> frozenset[str]:
    """Return what the code does with the patterns of some names; each, if that is not seen."""
    uses = _uses_by_name()
    bound = [uses.get(re.split(r"[\[(]", name)[0]) for name in names]  # else imported
    found = [one for one in bound if one is not None]
    return frozenset().union(*found) or EVERY_USE


@cache
def _uses_by_name() -> dict[str, frozenset[str]]:
    """Return the uses of each name that is bound to a pattern, with its module."""
    uses: dict[str, set[str]] = {
        f"{module.name}.{name}": set()
        for module in _modules()
        for _, name in _bindings(module.tree)
    }
    for module in _modules():
        meant = {
            one.asname or one.name: f"{node.module}.{one.name}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ImportFrom)
            for one in node.names
        }
        parents = _parents(module.tree)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                name = meant.get(node.id, f"{module.name}.{node.id}")
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                of = node.value.id
                name = f"{meant.get(of, f'{module.name}.{of}')}.{node.attr}"
            else:
                continue
            if name in uses:
                uses[name] |= _use(node, parents)
    return {name: frozenset(found) or EVERY_USE for name, found in uses.items()}


def _use(node: ast.expr, parents: Mapping[ast.AST, ast.AST]) -> frozenset[str]:
    above = parents[node]
    if not isinstance(above, ast.Attribute):
        return EVERY_USE
    use = USES.get(above.attr, EVERY_USE)
    call = parents[above]
    if not isinstance(call, ast.Call) or call.func is not above:
        return use
    if above.attr in ("match", "search") and len(call.args) + len(call.keywords) > 1:
        return use | {"finditer"}  # from a place: a loop may go on from each
    once = any(
        one.arg == "count" and isinstance(one.value, ast.Constant) and one.value.value == 1
        for one in call.keywords
    )
    return frozenset({"search"}) if above.attr == "sub" and once else use


def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _bindings(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Yield what a module binds to a name, where a pattern is made in it."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        for target in targets:
            value = node.value  # type: ignore[attr-defined]
            if isinstance(target, ast.Name) and any(map(_is_compile, ast.walk(value))):
                yield value, target.id


def _is_compile(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"


def _of_metas(tree: ast.Module) -> Iterator[str]:
    for keyword in _metas(tree):
        if isinstance(keyword.value, ast.Constant):
            yield keyword.value.value


def _metas(tree: ast.Module) -> Iterator[ast.keyword]:
    """Yield the patterns that msgspec checks: it searches with each."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Meta":
            yield from (keyword for keyword in node.keywords if keyword.arg == "pattern")


# --- what hides -----------------------------------------------------------------------------------


def hidden() -> Iterator[Hidden]:
    """Yield every place of the code where a pattern is made or used that `patterns` misses."""
    for module in _modules():
        yield from hidden_in(module.tree, module.path.relative_to(TOP).as_posix())
        bound = {value for value, _ in _bindings(module.tree)}
        if bound and not module.is_imported:
            yield Hidden(module.path.relative_to(TOP).as_posix(), "a pattern, never imported")


def hidden_in(tree: ast.Module, file: str) -> Iterator[Hidden]:
    """Yield the places of one file."""
    parents = _parents(tree)
    shown = {node for value, _ in _bindings(tree) for node in ast.walk(value) if _is_compile(node)}
    for node in ast.walk(tree):
        if found := _fault(node, shown):
            yield Hidden(f"{file}: {_function(node, parents)}", found)


def _fault(node: ast.AST, shown: set[ast.AST]) -> str | None:
    if isinstance(node, ast.Import):
        named = (one for one in node.names if one.name in _MAKERS)
        odd = [one for one in named if one.asname or one.name not in ("re", "fnmatch")]
        return f"import {odd[0].name}" if odd else None
    if isinstance(node, ast.ImportFrom):
        return f"from {node.module}" if node.module in _MAKERS else None
    if _is_compile(node):
        return None if node in shown else "re.compile"
    if isinstance(node, ast.keyword) and node.arg == "pattern":
        # `NAME.pattern` is the text of a pattern that is found by its name.
        is_known = isinstance(node.value, ast.Attribute) and node.value.attr == "pattern"
        is_seen = is_known or isinstance(node.value, ast.Constant)
        return None if is_seen else "a pattern that is no literal"
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        is_of_re = node.value.id == "re" and not (node.attr in _HARMLESS or node.attr.isupper())
        return ast.unparse(node) if is_of_re or node.value.id == "fnmatch" else None
    return None


def _function(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> str:
    """Return the function around a place with its class; "module" if there is none."""
    names: list[str] = []
    above: ast.AST | None = node
    while above := parents.get(above):
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.insert(0, above.name)
    return ".".join(names) or "module"


def missed() -> Iterator[str]:
    """Yield each name that a pattern is bound to, and whose value does not show all of them."""
    for module in _modules():
        if not module.is_imported:
            continue
        values = [name for name, _ in of_module(importlib.import_module(module.name))]
        for value, name in _bindings(module.tree):
            calls = sum(map(_is_compile, ast.walk(value)))
            if calls > sum(name in re.split(r"[.\[(]", one) for one in values):
                yield f"{module.name}: {name}"
