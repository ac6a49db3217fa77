"""The examples in docstrings (``>>>``) give what they say."""

import doctest
import importlib

import pytest

from tests.cases import TOP


def _names() -> list[str]:
    """Return the modules that show an example, found by their text: nothing else is imported."""
    paths = sorted(path for top in ("ghapp", "workers") for path in (TOP / top).rglob("*.py"))
    shown = [path for path in paths if ">>> " in path.read_text(encoding="utf-8")]
    return [".".join(path.relative_to(TOP).with_suffix("").parts) for path in shown]


MODULES = _names()


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name: str) -> None:
    module = importlib.import_module(name)
    told: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for example in doctest.DocTestFinder().find(module):
        runner.run(example, out=told.append)
    assert not told, "".join(told)
    written = (TOP / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert runner.tries == written.count(">>> "), "an example outside of a docstring is never run"


def test_there_are_examples_to_run() -> None:
    assert len(MODULES) > 30
    assert {name.partition(".")[0] for name in MODULES} <= {"ghapp", "workers"}
