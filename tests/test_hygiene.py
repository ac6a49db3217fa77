"""No test hopes: that it is quick, that others are, that a place or a port is its own.

The syntax trees of tests/ are read, so a fault is named by file and line before it costs anybody
an evening. What a tree does not show, such as a program in a string, is for the reader.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.cases import TOP

TESTS = TOP / "tests"
BLIND_SECONDS = 0.2
"""A longer pause outside of a loop hopes that something has happened meanwhile."""
PATIENT_SECONDS = 60
"""Whoever gives up on another process or thread earlier hopes that the machine is not busy."""
NOBODY = {0, 1, 9}
"""Ports: any that is free, and two that nobody listens on."""
ALLOWED = {
    "tests/searching.py: examples": "it is where the number grows in the night",
    "tests/faults/test_kills.py: pause": "the moment of a death is drawn",
    "tests/browser/conftest.py: left out": "a person may lack a browser; where CI does, it fails",
    "tests/git/test_process.py: left out": "only Linux tells in /proc which processes run",
    "tests/journeys/test_stopping.py: pause": "nothing shows when a signal has arrived",
}
"""``file: rule`` → why it is unavoidable there."""

CLOCKS = {
    f"{name}{end}"
    for name in ("monotonic", "perf_counter", "process_time", "thread_time", "time")
    for end in ("", "_ns")
}
MEASURES = {"getrusage", "cpu_of", "timeit", "process_time", "process_time_ns", "thread_time"}
_MEASURED_NAME = re.compile(
    r"(?:.*_)?(?:elapsed|took|cpu|seconds|duration|latency|milliseconds|ms|ru_utime|ru_stime)"
)
_LIMITS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Finding(NamedTuple):
    """One place that breaks a rule."""

    line: int
    rule: str


class _File:
    """The tree of a file, with the parent of each node and what names are bound to."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.imported = dict(_imports(self.nodes))
        self._bound: dict[tuple[ast.AST, str], ast.expr | None] = {}
        for node in self.nodes:
            for target, value in _bindings(node):
                self._bound[self._function(node), target] = value
            if isinstance(node, _FUNCTIONS):
                for argument in (*node.args.args, *node.args.kwonlyargs):
                    self._bound[node, argument.arg] = None

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what stands around a node in its function, the nearest first."""
        while (node := self.parents.get(node, self.tree)) is not self.tree:
            if isinstance(node, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
                return
            yield node

    def _function(self, node: ast.AST) -> ast.AST:
        """Return the function around a node, or the whole file."""
        while (node := self.parents.get(node, self.tree)) is not self.tree:
            if isinstance(node, _FUNCTIONS):
                return node
        return self.tree

    def is_own(self, name: ast.expr) -> bool:
        """Return whether the function around a name binds it, or has it as an argument."""
        assert isinstance(name, ast.Name)
        return (self._function(name), name.id) in self._bound

    def bound(self, name: ast.Name) -> ast.expr | None:
        """Return what a name is bound to where it stands; ``None``: that is not seen."""
        function = self._function(name)
        while (function, name.id) not in self._bound and function is not self.tree:
            function = self._function(function)
        return self._bound.get((function, name.id))

    def value(self, node: ast.expr) -> ast.expr:
        """Return what a name stands for, or the expression itself."""
        seen = [node]
        while isinstance(node, ast.Name) and (found := self.bound(node)) and found not in seen:
            node = found
            seen.append(node)
        return node

    def parts(self, node: ast.expr) -> Iterator[ast.AST]:
        """Yield all nodes of an expression, and of what its names are bound to."""
        todo, seen = [node], {node}
        while todo:
            for part in ast.walk(todo.pop()):
                yield part
                found = self.bound(part) if isinstance(part, ast.Name) else None
                if found is not None and found not in seen:
                    seen.add(found)
                    todo.append(found)


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield each imported name, as it is called here, with what it is called at home."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((one.asname, one.name) for one in node.names if one.asname)
        elif isinstance(node, ast.ImportFrom):
            names = ((one.asname or one.name, one.name) for one in node.names)
            yield from ((here, f"{node.module}.{name}") for here, name in names)


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a statement binds, each with its expression."""
    targets: list[ast.expr] = []
    value: ast.expr | None = None
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        targets, value = [node.target], node.value
    for target in targets:
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for one, given in pairs:
            if isinstance(one, ast.Name) and given is not None:
                yield one.id, given


def _name(node: ast.AST) -> str:
    """Return the last part of a dotted name; of a call, that of what is called."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _number(node: ast.AST) -> float | None:
    """Return a number that stands there, or a product of such; ``None``: something else does."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        one, other = _number(node.left), _number(node.right)
        return None if one is None or other is None else one * other
    is_number = isinstance(node, ast.Constant) and type(node.value) in {int, float}
    return node.value if is_number else None  # type: ignore[attr-defined,no-any-return]


# --- a: a measured time is not compared with a limit ----------------------------------------------


def _asserted_times(file: _File) -> Iterator[Finding]:
    for node in file.nodes:
        if not isinstance(node, ast.Assert) and not _fails(node):
            continue
        assert isinstance(node, ast.Assert | ast.If)
        in_loop = any(isinstance(one, _LOOPS) for one in file.above(node))
        for part in file.parts(node.test):
            if isinstance(part, ast.Compare) and _is_limit(part):
                sides = [part.left, *part.comparators]
                if any(_is_measured(file, side, sides, in_loop=in_loop) for side in sides):
                    yield Finding(node.lineno, "a measured time is asserted")
                    break


def _is_limit(node: ast.Compare) -> bool:
    """Return whether a comparison lets more than one value by."""
    is_about = any(_name(one) == "approx" for one in (node.left, *node.comparators))
    return is_about or any(isinstance(one, _LIMITS) for one in node.ops)


def _fails(node: ast.AST) -> bool:
    """Return whether this is a condition under which a test fails."""
    return isinstance(node, ast.If) and any(
        isinstance(one, ast.Raise)
        or (isinstance(one, ast.Call) and _dotted(one.func) == "pytest.fail")
        for inner in node.body
        for one in ast.walk(inner)
    )


def _is_measured(file: _File, side: ast.expr, sides: list[ast.expr], *, in_loop: bool) -> bool:
    """Return whether a side of a comparison is a time that this run took."""
    others = [one for one in sides if one is not side]
    if _MEASURED_NAME.fullmatch(_name(side)) and any(_number(one) is not None for one in others):
        return True
    found = list(file.parts(side))
    if any(_name(one) in MEASURES for one in found if isinstance(one, ast.Call)):
        return True
    if any(_is_of_clock(file, one) for one in found if _is_difference(one)):
        return True
    # In a loop a clock is compared with a deadline: that is how long to wait, not how fast.
    return not in_loop and any(_is_clock(file, one) for one in ast.walk(side))


def _is_difference(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)


def _is_of_clock(file: _File, node: ast.AST) -> bool:
    assert isinstance(node, ast.BinOp)
    return all(
        any(_is_clock(file, part) for part in file.parts(side)) for side in (node.left, node.right)
    )


def _is_clock(file: _File, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    is_calendar = _home(file, node.func).endswith(("datetime.now", "datetime.utcnow"))
    return is_calendar or _is_of_time(file, node.func, CLOCKS)


def _is_of_time(file: _File, function: ast.expr, names: set[str]) -> bool:
    """Return whether this is such a function of the module `time`, and no clock set by hand."""
    module, _, name = _home(file, function).rpartition(".")
    if isinstance(function, ast.Attribute):
        owner = function.value
        return module == "time" and name in names and not file.is_own(owner)
    is_function = isinstance(function, ast.Name) and (module == "time" or not module)
    return is_function and name in names - {"time"} and not file.is_own(function)


def _home(file: _File, function: ast.AST) -> str:
    """Return a function's name as its home has it, whatever it is called here."""
    first, dot, rest = _dotted(function).partition(".")
    return file.imported.get(first, first) + dot + rest


# --- b: no blind pause ----------------------------------------------------------------------------


def _blind_pauses(file: _File) -> Iterator[Finding]:
    for node in file.nodes:
        if isinstance(node, ast.Call) and _rests(file, node) and not _polls(file, node):
            yield Finding(node.lineno, "a pause hopes that something has happened meanwhile")


def _rests(file: _File, node: ast.Call) -> bool:
    """Return whether a call only lets time pass, more than a moment of it."""
    if not node.args:
        return False
    seconds = _number(file.value(node.args[0]))
    if _is_of_time(file, node.func, {"sleep"}) or _home(file, node.func) == "asyncio.sleep":
        return seconds is None or seconds >= BLIND_SECONDS
    # Whether an event came is what `wait` says; here nobody listens.
    is_unheard = isinstance(file.parents.get(node), ast.Expr)
    is_event = isinstance(node.func, ast.Attribute) and _home(
        file, file.value(node.func.value)
    ).endswith("Event")
    return is_event and node.func.attr == "wait" and is_unheard and (seconds or 0) >= BLIND_SECONDS


def _polls(file: _File, node: ast.AST) -> bool:
    """Return whether a pause stands in a loop that looks for something and ends with it."""
    return any(
        isinstance(loop, ast.While)
        or (
            isinstance(loop, ast.For)
            and any(isinstance(one, ast.Break | ast.Return) for one in ast.walk(loop))
        )
        for loop in file.above(node)
    )


# --- c: no port by hope ---------------------------------------------------------------------------

_OPENING = {
    *("bind", "connect", "connect_ex", "create_connection", "create_server", "goto", "urlopen"),
    *("get", "post", "put", "patch", "delete", "head", "request", "from_url", "Redis"),
    *("HTTPConnection", "HTTPServer", "ThreadingHTTPServer", "make_server", "run_simple"),
}
_PORT_OPTIONS = {"--bind", "-b", "--port", "-p"}
_HERE = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0):(\d+)")


def _fixed_ports(file: _File) -> Iterator[Finding]:
    for node in file.nodes:
        if isinstance(node, ast.Call):
            yield from _ports_of_call(file, node)
        elements = (
            node.elts if isinstance(node, ast.List | ast.Tuple) else getattr(node, "args", [])
        )
        if not isinstance(elements, list):
            continue  # of a function's head
        for option, value in pairwise(elements):
            if isinstance(option, ast.Constant) and option.value in _PORT_OPTIONS:
                yield from _fixed(value, _port_in(value))


def _ports_of_call(file: _File, node: ast.Call) -> Iterator[Finding]:
    for keyword in node.keywords:
        if keyword.arg in {"port", "server_port"}:
            yield from _fixed(keyword.value, _number(file.value(keyword.value)))
    if _name(node) not in _OPENING and not _name(node).endswith("Server"):
        return
    for argument in node.args:
        given = file.value(argument)
        if isinstance(given, ast.Tuple) and len(given.elts) == 2:
            yield from _fixed(given, _number(file.value(given.elts[1])))
        elif isinstance(given, ast.Constant) and isinstance(given.value, str):
            found = _HERE.search(given.value)
            yield from _fixed(given, int(found[1]) if found else None)
    if _name(node) in {"HTTPConnection", "make_server", "run_simple"} and len(node.args) > 1:
        yield from _fixed(node, _number(file.value(node.args[1])))


def _port_in(node: ast.expr) -> float | None:
    """Return the port that an option's value names: a number, or one after an address."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        found = re.fullmatch(r"(?:.*:)?(\d+)", node.value)
        return int(found[1]) if found else None
    return _number(node)


def _fixed(node: ast.AST, port: float | None) -> Iterator[Finding]:
    if port is not None and port not in NOBODY:
        yield Finding(node.lineno, f"port {port} may be another's")  # type: ignore[attr-defined]


# --- d: whoever waits for another is patient ------------------------------------------------------

_WAITS = {"wait", "join", "result", "communicate"}
_WAITS_AS_TOLD = {*_WAITS, "get", "run", "check_output", "check_call", "call", "urlopen"}
_WAITS_AS_TOLD |= {"request", "post", "put", "patch", "delete", "head", "settimeout", "wait_until"}


def _impatience(file: _File) -> Iterator[Finding]:
    for node in file.nodes:
        seconds = None
        if isinstance(node, ast.Call):
            seconds = _deadline(node) or _patience(file, node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            seconds = _number(file.value(node.right)) if _is_clock(file, node.left) else None
        elif isinstance(node, ast.For):
            seconds = _rounds(file, node)
        if seconds is not None and 0 < seconds < PATIENT_SECONDS:
            yield Finding(node.lineno, f"on a busy machine {seconds:g} s are over too soon")  # type: ignore[attr-defined]


def _deadline(node: ast.Call) -> float | None:
    """Return the deadline that a search sets for each example, in seconds."""
    for keyword in node.keywords if _name(node) in {"settings", "register_profile"} else ():
        if keyword.arg == "deadline" and _number(keyword.value) is not None:
            return (_number(keyword.value) or 0) / 1000
        if keyword.arg == "deadline" and isinstance(keyword.value, ast.Call):
            return 0.001  # of a timedelta
    return None


def _patience(file: _File, node: ast.Call) -> float | None:
    """Return after how many seconds a call gives up; ``None``: never, or only a loop goes round."""
    name = _name(node)
    given = [one.value for one in node.keywords if one.arg in {"timeout", "seconds"}]
    if name == "wait_until":
        given += node.args[2:3]
    elif isinstance(node.func, ast.Attribute) and name in {*_WAITS, "settimeout"}:
        given += node.args[:1]
    if name not in _WAITS_AS_TOLD or not given or _polls(file, node):
        return None
    if name == "wait" and isinstance(file.parents.get(node), ast.UnaryOp):
        return None  # that nothing comes cannot be waited for
    return _number(file.value(given[0]))


def _rounds(file: _File, node: ast.For) -> float | None:
    """Return how long a loop of so many pauses takes at most."""
    inner = [one for part in node.body for one in ast.walk(part) if isinstance(one, ast.Call)]
    pauses = [one for one in inner if _is_of_time(file, one.func, {"sleep"}) and one.args]
    if not pauses or not isinstance(node.iter, ast.Call) or _name(node.iter) != "range":
        return None
    often = _number(file.value(node.iter.args[-1])) if len(node.iter.args) == 1 else None
    seconds = _number(file.value(pauses[0].args[0]))
    return None if often is None or seconds is None else often * seconds


# --- e: nothing is written beside the test's own folder -------------------------------------------

_WRITING = {
    *("write_text", "write_bytes", "mkdir", "touch", "unlink", "rmdir", "chmod"),
    *("rename", "replace", "symlink_to", "hardlink_to"),
}
_COPYING = {"copy", "copy2", "copyfile", "copytree", "move", "rmtree"}
_OURS = {"TOP", "FIXTURES", "TESTS", "__file__"}
_HOMES = {"home", "expanduser", "cwd", "gettempdir"}
_SHARED = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - the names that tests may not use
_ENVIRONMENT = ("update", "setdefault", "pop", "clear")


def _litter(file: _File) -> Iterator[Finding]:
    if _is_program(file):
        return
    moves = any(_name(node) in {"chdir", "isolated_filesystem"} for node in file.nodes)
    for node in file.nodes:
        where = _written(node) if isinstance(node, ast.Call) else None
        if where is not None and _is_ours(file, where, moves=moves):
            yield Finding(node.lineno, "this writes into the checkout, the home or a shared folder")
        if _changes_the_process(file, node):
            yield Finding(node.lineno, "this changes what other tests find")  # type: ignore[attr-defined]


def _changes_the_process(file: _File, node: ast.AST) -> bool:
    """Return whether the environment or the folder of all tests changes, and stays so."""
    if isinstance(node, ast.Call):
        called = _home(file, node.func)
        return called in {"os.chdir", "os.putenv"} or called in {
            f"os.environ.{one}" for one in _ENVIRONMENT
        }
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else []
    return any(
        isinstance(one, ast.Subscript) and _home(file, one.value) == "os.environ" for one in targets
    )


def _written(node: ast.Call) -> ast.expr | None:
    """Return the path that a call writes to; ``None``: it writes to none that is seen."""
    name = _name(node)
    if _dotted(node.func).startswith("shutil.") and name in _COPYING:
        return node.args[-1] if node.args else None
    if name in {"rename", "replace"} and len(node.args) != 1:
        return None  # of a text
    modes = node.args if isinstance(node.func, ast.Attribute) else node.args[1:]
    mode = next((one for one in modes if isinstance(one, ast.Constant)), None)
    opens = name == "open" and mode is not None and re.search("[wax+]", str(mode.value))
    if isinstance(node.func, ast.Attribute):
        return node.func.value if name in _WRITING or opens else None
    return node.args[0] if opens and len(node.args) > 1 else None


_ON_THE_WAY = {"resolve", "absolute", "joinpath", "with_name", "with_suffix", "parent", "parents"}


def _is_ours(file: _File, where: ast.expr, *, moves: bool) -> bool:
    """Return whether a path begins at the checkout or a home, or at wherever a test stands."""
    start = _start(file, file.value(where))
    if isinstance(start, ast.Constant):
        place = str(start.value)
        return place.startswith(_SHARED) if place.startswith("/") else not moves
    if isinstance(start, ast.Call):
        return _name(start) in _HOMES and not moves
    return isinstance(start, ast.Name) and start.id in _OURS


def _start(file: _File, path: ast.expr) -> ast.expr | None:
    """Return what an expression of a path begins with; ``None``: it is not one that is known."""
    seen: set[ast.expr] = set()
    while path not in seen:
        seen.add(path)
        inner: ast.expr | None = path
        if isinstance(path, ast.BinOp):
            inner = path.left
        elif isinstance(path, ast.Subscript):
            inner = path.value
        elif isinstance(path, ast.Attribute):
            inner = path.value if path.attr in _ON_THE_WAY else None
        elif isinstance(path, ast.Call) and _name(path) == "Path":
            inner = path.args[0] if path.args else None
        elif isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
            inner = path.func.value if path.func.attr in _ON_THE_WAY else path
        if inner is None:
            return None
        path = file.value(inner)
    return path


def _is_program(file: _File) -> bool:
    """Return whether somebody calls this file by hand, to have it write what it writes."""
    return any(
        isinstance(one, ast.If) and "__name__" in ast.unparse(one.test) for one in file.nodes
    )


# --- f: no test is left out -----------------------------------------------------------------------

_LEFT_OUT = {"skip", "skipif", "xfail", "importorskip", "skipIf", "skipUnless", "SkipTest"}


def _left_out(file: _File) -> Iterator[Finding]:
    for node in file.nodes:
        if not isinstance(node, ast.Attribute) or node.attr not in _LEFT_OUT:
            continue
        if not _dotted(node).startswith(("pytest.", "unittest.")):
            continue
        call = file.parents.get(node)
        condition = ast.unparse(call.args[0]) if isinstance(call, ast.Call) and call.args else ""
        if node.attr == "skipif" and re.search(r"\bsys\.platform\b|\bos\.name\b", condition):
            continue
        yield Finding(node.lineno, f"{_dotted(node)} leaves a test out")


# --- g: every process finds the same tests --------------------------------------------------------

_DRAWN = {"gzip.compress", "os.getpid", "os.urandom"}
_DRAWING = ("random.", "secrets.", "time.", "uuid.")
_NOW = {"now", "today", "utcnow"}


def _drawn_cases(file: _File) -> Iterator[Finding]:
    """Yield cases that differ each time: processes that share the tests would find different ones.

    What gzip writes by default names the second.
    """
    for node in file.nodes:
        if isinstance(node, ast.Call) and _name(node.func) == "parametrize":
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                yield from _drawn(file, argument)


def _drawn(file: _File, cases: ast.expr) -> Iterator[Finding]:
    for node in ast.walk(file.value(cases)):
        value = file.value(node) if isinstance(node, ast.Name) else node
        if isinstance(value, ast.Call) and _draws(file, value):
            yield Finding(value.lineno, "a case differs each time that the tests are collected")


def _draws(file: _File, call: ast.Call) -> bool:
    home = _home(file, call.func)
    if home == "gzip.compress":
        return not any(keyword.arg == "mtime" for keyword in call.keywords)
    return home in _DRAWN or home.startswith(_DRAWING) or home.rpartition(".")[2] in _NOW


def _own_examples(file: _File) -> Iterator[Finding]:
    """Yield a number of examples that is not `searched`: the night would draw no more of them."""
    for node in file.nodes:
        if isinstance(node, ast.keyword) and node.arg == "max_examples":
            yield Finding(node.value.lineno, "this law draws no more examples in the night")


RULES = {
    "time": _asserted_times,
    "pause": _blind_pauses,
    "port": _fixed_ports,
    "patience": _impatience,
    "litter": _litter,
    "left out": _left_out,
    "drawn": _drawn_cases,
    "examples": _own_examples,
}


def findings(text: str) -> Iterator[tuple[str, Finding]]:
    """Yield what breaks a rule in the text of a test, with the rule's name."""
    file = _File(text)
    for name, rule in RULES.items():
        yield from ((name, found) for found in rule(file))


def test_no_test_hopes() -> None:
    found = [
        f"{path.relative_to(TOP).as_posix()}:{one.line}: {one.rule}"
        for path in sorted(TESTS.rglob("*.py"))
        for name, one in findings(path.read_text("utf-8"))
        if f"{path.relative_to(TOP).as_posix()}: {name}" not in ALLOWED
    ]
    assert found == [], "\n".join(found)


def test_what_is_allowed_is_still_there() -> None:
    for place in ALLOWED:
        path, _, rule = place.partition(": ")
        assert rule in {name for name, _ in findings((TOP / path).read_text("utf-8"))}, place


# --- the rules themselves can fail ----------------------------------------------------------------

BAD = {
    "time": (
        "start = time.monotonic()\nwork()\nassert time.monotonic() - start < 2",
        (
            "def test():\n    began = perf_counter()\n    took = perf_counter() - began\n"
            "    assert took <= LIMIT"
        ),
        "end = time.time() + 90\nwork()\nassert time.time() < end",
        "assert min(cpu_of(program) for _ in range(5)) < 0.15",
        "used = resource.getrusage(resource.RUSAGE_SELF)\nassert used.ru_utime < 3",
        "assert done.elapsed < 0.5",
        "assert 0 < report.seconds < 10",
        "assert time.process_time() < 3",
        "start = time.perf_counter_ns()\nassert (time.perf_counter_ns() - start) / 1e9 < 1",
        "from time import monotonic as now\nstart = now()\nassert now() - start < 2",
        "import time as t\nstart = t.monotonic()\nassert t.monotonic() - start < 2",
        "start = time.monotonic()\ntook = time.monotonic() - start\nok = took < 2\nassert ok",
        "start = time.monotonic()\nif time.monotonic() - start > 2:\n    pytest.fail('slow')",
        "start = datetime.now(UTC)\nassert datetime.now(UTC) - start < timedelta(seconds=2)",
        "start = time.monotonic()\nassert time.monotonic() - start == pytest.approx(0.2, abs=1)",
    ),
    "pause": (
        "import time\ntime.sleep(0.2)",
        "PAUSE = 5\ndef test():\n    start()\n    time.sleep(PAUSE)\n    assert done()",
        "for one in machines:\n    one.start()\n    sleep(1)",
        "while True:\n    def later():\n        time.sleep(3)\n    later()",
        "from time import sleep as rest\nrest(2 * 0.5)",
        "time.sleep(random.uniform(0, 2))",
        "await asyncio.sleep(1)",
    ),
    "patience": (
        "thread.join(0.5)\nassert not thread.is_alive()",
        "assert event.wait(0.5)",
        "subprocess.run(['x'], timeout=5)",
        "process.communicate(timeout=10)",
        "requests.get(url, timeout=2)",
        "future.result(timeout=30)",
        "wait_until(done, 'x', 5)",
        "deadline = time.monotonic() + 10\nwhile not done():\n    assert monotonic() < deadline",
        "for _ in range(20):\n    if done():\n        break\n    time.sleep(0.5)",
        "@settings(deadline=200)\ndef test(): pass",
    ),
    "port": (
        "probe.bind(('127.0.0.1', 8000))",
        "ThreadingHTTPServer(('', 8080), Handler)",
        "requests.get('http://127.0.0.1:8000/health')",
        "app.run(port=5000)",
        "subprocess.run(['gunicorn', '--bind', '127.0.0.1:8000'])",
        "URL = 'redis://localhost:6379/0'\nRedis.from_url(URL)",
        "make_server('127.0.0.1', 8000, app)",
        "run(['ghapp', 'serve', '--port', '8000'])",
        "socket.create_connection(('localhost', 5432))",
    ),
    "litter": (
        "(TOP / 'out.json').write_text('x')",
        "HERE = Path(__file__).parent\ndef test():\n    (HERE / 'x').mkdir()",
        "(Path.home() / '.config').mkdir()",
        "Path('out.csv').write_text('x')",
        "target = FIXTURES / 'a'\nwith target.open('w') as file:\n    file.write('x')",
        "with open(TOP / 'a', 'ab') as file:\n    pass",
        "shutil.copytree(tmp_path, TOP / 'fixtures' / 'new')",
        "Path('~/x').expanduser().touch()",
        "open('/tmp/ghapp', 'w')",
        "Path('/var/tmp/ghapp').mkdir()",
        "os.environ['GHAPP_X'] = '1'",
        "os.chdir(tmp_path)",
    ),
    "left out": (
        "@pytest.mark.skip(reason='flaky')\ndef test(): pass",
        "@pytest.mark.skipif(shutil.which('git') is None, reason='no git')\ndef test(): pass",
        "@pytest.mark.xfail\ndef test(): pass",
        "def test():\n    pytest.skip('not today')",
        "numpy = pytest.importorskip('numpy')",
        "def test():\n    pytest.xfail('known')",
    ),
    "drawn": (
        "@pytest.mark.parametrize('body', [gzip.compress(b'x')])\ndef test(body): pass",
        "from gzip import compress\n@pytest.mark.parametrize('a', [compress(b'')])\ndef t(a): pass",
        "AT = datetime.now(UTC)\n@pytest.mark.parametrize('at', [AT])\ndef test(at): pass",
        "@pytest.mark.parametrize('name', [uuid.uuid4().hex])\ndef test(name): pass",
        "CASES = [random.random()]\n@pytest.mark.parametrize('one', CASES)\ndef test(one): pass",
    ),
    "examples": (
        "@settings(max_examples=60)\ndef test(one): pass",
        "settings(suppress_health_check=[], max_examples=MANY)(test)",
    ),
}
GOOD = (
    (
        "deadline = time.monotonic() + 60\nwhile not done():\n"
        "    assert time.monotonic() < deadline\n    time.sleep(0.5)"
    ),
    "for _ in range(200):\n    if done():\n        break\n    time.sleep(0.5)",
    "while not over.wait(0.05):\n    look()",
    "assert not event.wait(0.5)",
    "@settings(deadline=None)\ndef test(): pass",
    "process.wait(START_SECONDS)",
    "monkeypatch.setenv('GHAPP_X', '1')",
    "assert one.seconds == 30",
    "assert pauses == [1.0, 9.0]",
    "assert clock.now - began < timedelta(days=1)",
    "assert 0 < done.sent < 10",
    "time.sleep(0.05)",
    "probe.bind(('127.0.0.1', 0))",
    "UploadClient('http://127.0.0.1:9', TOKEN).enrollment()",
    "assert checked('http://127.0.0.1:8000/') == 'http://127.0.0.1:8000'",
    "requests.get(f'http://127.0.0.1:{server.port}/health')",
    "(tmp_path / 'a').write_text('x')",
    "(TOP / 'README.md').read_text()",
    "shutil.copytree(TOP / 'ghapp', tmp_path / 'ghapp')",
    "monkeypatch.chdir(tmp_path)\nPath('a.csv').write_text('x')",
    "told = (TOP / 'a').read_text().replace('a', 'b')",
    "def test(time: Time):\n    time.sleep(60)",
    "store.get(17)",
    "if __name__ == '__main__':\n    (FIXTURES / 'a').write_text('x')",
    "@pytest.mark.skipif(sys.platform != 'linux', reason='only Linux')\ndef test(): pass",
    "found.skip(3)",
    "@pytest.mark.parametrize('a', [gzip.compress(b'x', mtime=0)])\ndef test(a): pass",
    "def test():\n    assert gzip.compress(b'x')",
)


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in BAD.items() for text in texts]
)
def test_a_rule_sees_what_breaks_it(rule: str, text: str) -> None:
    assert {name for name, _ in findings(text)} == {rule}


@pytest.mark.parametrize("text", GOOD)
def test_a_rule_lets_by_what_hopes_for_nothing(text: str) -> None:
    assert list(findings(text)) == []


def test_a_finding_names_the_line() -> None:
    ((_, found),) = findings("import time\n\n\ntime.sleep(1)\n")
    assert found.line == 4
