"""Which texts a Python script writes into files, by its syntax tree. It runs nothing.

Agents change files by short scripts: read, replace one text by another, write. What a script only
looks for, prints or compares is *quoted*; all other texts may be written. A text that cannot be
told apart is taken for quoted. https://docs.python.org/3/library/ast.html
"""

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeGuard

_NAME = "<script of an agent>"
# Scripts of agents may have escapes that newer versions warn of; nobody here can mend them.
warnings.filterwarnings("ignore", module=re.escape(_NAME))

LONGEST_SCRIPT = 65_536
MOST_LOOKUPS = 10_000
"""Looks at what loops of one script go through; a script that needs more is not read."""
MOST_PATHS = 100
"""Names of files that are taken from one script."""

_WRITES = frozenset({"write", "write_text", "writelines"})
_TAKES = _WRITES | {"append", "insert", "extend", "join", "dedent", "indent", "replace", "format"}
"""Methods whose arguments may be written. Of ``replace`` and ``sub`` the first is looked for."""
_CHANGES = frozenset({"sub", "subn"})
_PASSES_ON = frozenset(
    {"strip", "lstrip", "rstrip", "dedent", "format", "encode", "splitlines", "join"}
)
"""Methods that return their text nearly as it is."""
_SAID: dict[type[ast.AST], str] = {
    ast.Expr: "value",
    ast.Assert: "msg",
    ast.Raise: "exc",
    ast.Subscript: "slice",
}
"""Nodes with a part that is said or looked up, and never written."""
# src/app.py, README.md, Makefile.am
_PATH = re.compile(r"(?=[^\n]*[./])[\w.@+~ -]*(?:/[\w.@+~ -]+)*")


class ScriptTexts(NamedTuple):
    """What a script writes, only looks for, and names."""

    written: list[str]
    """Each may hold several lines; its first and its last may be parts of lines."""
    quoted: list[str]
    paths: list[str]
    """Texts that may be paths of files."""


def script_texts(script: str) -> ScriptTexts | None:
    r"""Return the texts of a script that writes files; ``None``: it writes none that is read.

    >>> script = "s = open('a.py').read().replace('x = 1', 'x = 2'); Path('b.py').write_text(s)"
    >>> script_texts(script)
    ScriptTexts(written=['x = 2'], quoted=['x = 1'], paths=['b.py', 'a.py'])
    """
    if len(script) > LONGEST_SCRIPT or not any(name in script for name in _WRITES):
        return None
    try:
        tree = ast.parse(script, _NAME)
        return _Reading(tree).texts()
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


class _Reading:
    """Tells the texts of one script apart."""

    def __init__(self, tree: ast.Module) -> None:
        self._nodes = list(ast.walk(tree))
        self._quoted: set[int] = set()
        self._names: list[str] = []
        self._left = MOST_LOOKUPS
        self._bound: defaultdict[str, list[ast.expr]] = defaultdict(list)
        self._functions = {
            node.name: [one.arg for one in node.args.args]
            for node in self._nodes
            if isinstance(node, ast.FunctionDef)
        }

    def texts(self) -> ScriptTexts | None:
        """Return the texts; ``None``: nothing is written."""
        for node in self._nodes:
            self._bind(node)
        writes = False
        for node in self._nodes:
            self._look(node)
            writes |= (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _WRITES
            )
        self._follow()
        if not writes:
            return None
        together = self._lists()
        written: list[str] = []
        quoted: list[str] = []
        paths: list[str] = []
        for text, is_quoted in self._told(together):
            if "\n" not in text and len(text) <= 255 and _PATH.fullmatch(text):
                paths.append(text)
            elif is_quoted:
                quoted.append(text)
            else:
                written.append(text)
        return ScriptTexts(written, quoted, list(dict.fromkeys(paths))[:MOST_PATHS])

    def _told(self, together: dict[int, str | None]) -> Iterator[tuple[str, bool]]:
        """Yield each text and whether it is quoted; lines of one list are one text."""
        for node in self._nodes:
            if not _is_text(node) or not node.value:
                continue
            text: str | None = str(node.value)
            if id(node) in together and id(node) not in self._quoted:
                text = together[id(node)]
            if text is not None:
                yield text, id(node) in self._quoted

    def _lists(self) -> dict[int, str | None]:
        """Return the first text of each list of lines → all of it, and the others → ``None``."""
        found: dict[int, str | None] = {}
        for node in self._nodes:
            if isinstance(node, ast.List) and len(node.elts) > 1 and all(map(_is_text, node.elts)):
                lines = [str(one.value).rstrip("\n") for one in node.elts if _is_text(one)]
                found |= dict.fromkeys(map(id, node.elts))
                found[id(node.elts[0])] = "\n".join(lines)
        return found

    # --- what names stand for ---

    def _bind(self, node: ast.AST) -> None:
        """Note what a name is bound to: by an assignment, a loop, or a call of a function."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind_to(target, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            if node.value is not None:
                self._bind_to(node.target, node.value)
        elif isinstance(node, (ast.For, ast.comprehension)):
            for value in self._items(node.iter):
                self._bind_to(node.target, value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            self._bind_call(node, self._functions.get(node.func.id, []))

    def _bind_call(self, call: ast.Call, names: list[str]) -> None:
        for name, value in zip(names, call.args, strict=False):
            self._bound[name].append(value)
        for keyword in call.keywords:
            if keyword.arg in names:
                self._bound[str(keyword.arg)].append(keyword.value)

    def _bind_to(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._bound[target.id].append(value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
            if len(parts) != len(target.elts):
                parts = [value] * len(target.elts)
            for one, part in zip(target.elts, parts, strict=True):
                self._bind_to(one, part)

    def _items(self, of: ast.expr, depth: int = 3) -> Iterable[ast.expr]:
        """Return what a loop goes through: the members of a list, or the list if it is another."""
        self._left -= 1
        if self._left < 0:
            message = "a script that binds names to names again and again"
            raise ValueError(message)
        if isinstance(of, (ast.List, ast.Tuple, ast.Set)):
            return of.elts
        if isinstance(of, ast.Call) and isinstance(of.func, ast.Attribute) and not of.args:
            if of.func.attr == "items":
                of = of.func.value
        elif isinstance(of, ast.Call) and of.args:
            of = of.args[-1]  # enumerate(pairs), reversed(pairs)
        if isinstance(of, ast.Dict):
            return [
                ast.Tuple([key, value], ast.Load())
                for key, value in zip(of.keys, of.values, strict=True)
                if key is not None
            ]
        if isinstance(of, ast.Name) and depth:
            known = self._bound.get(of.id, [])
            return [item for value in known for item in self._items(value, depth - 1)] or [of]
        return [of]

    # --- what is only looked for ---

    def _look(self, node: ast.AST) -> None:
        """Mark what a node only looks for, prints or compares."""
        if isinstance(node, ast.JoinedStr):
            self._quoted |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.Compare):
            self._look_at_comparison(node)
        elif isinstance(node, ast.Call):
            self._look_at_call(node)
        elif isinstance(node, ast.Dict):
            for key in node.keys:
                self._quote(key)
        else:
            part = _SAID.get(type(node))
            self._quote(getattr(node, part) if part else None)

    def _look_at_comparison(self, node: ast.Compare) -> None:
        self._quote(node.left)
        for operator, other in zip(node.ops, node.comparators, strict=True):
            if not isinstance(operator, (ast.In, ast.NotIn)) or not isinstance(other, ast.Name):
                self._quote(other)

    def _look_at_call(self, call: ast.Call) -> None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        first = call.args[:1]
        if name == "replace":
            quoted = first + call.args[2:]
        elif name in _CHANGES:
            is_method = len(call.args) < 3  # pattern.sub(new, text)
            new = call.args[0 if is_method else 1 : 1 if is_method else 2]
            # A replacement may hold groups, which are not its own text.
            has_groups = any("\\" in str(one.value) for one in new if _is_text(one))
            quoted = [one for one in call.args if one not in new or has_groups]
        elif name in _TAKES or (
            isinstance(call.func, ast.Name) and call.func.id in self._functions
        ):
            quoted = []
        else:
            quoted = [*call.args, *(one.value for one in call.keywords)]
        for one in quoted:
            self._quote(one)

    def _quote(self, node: ast.expr | None) -> None:
        """Mark the texts of an expression, and what its names stand for."""
        todo: list[ast.expr | None] = [node]
        while todo:
            one = todo.pop()
            if _is_text(one):
                self._quoted.add(id(one))
            elif isinstance(one, ast.Name):
                self._names.append(one.id)
            elif isinstance(one, ast.BinOp):
                todo += [one.left, one.right]
            elif isinstance(one, ast.IfExp):
                todo += [one.body, one.orelse]
            elif isinstance(one, (ast.Tuple, ast.List, ast.Set)):
                todo += one.elts
            elif isinstance(one, (ast.Starred, ast.NamedExpr)):
                todo.append(one.value)
            elif (
                isinstance(one, ast.Call)
                and isinstance(one.func, ast.Attribute)
                and one.func.attr in _PASSES_ON
            ):
                todo += [one.func.value, *one.args]

    def _follow(self) -> None:
        """Mark what the marked names stand for, and the names in it."""
        seen: set[str] = set()
        while self._names:
            name = self._names.pop()
            if name not in seen:
                seen.add(name)
                for value in self._bound.get(name, ()):
                    self._quote(value)


def _is_text(node: ast.AST | None) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
