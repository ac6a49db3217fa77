"""Pauses: what they keep back, and for which edits."""

from datetime import timedelta

import pytest

from ghapp.collector.choices import ChoicesUnread, KeptBack, load, save
from tests.collector.machine import NOW, Machine

SHOP = ("github.com/ann/shop", "github.com/acme/shop")
HOUR = timedelta(hours=1)


def test_a_running_pause_keeps_back_earlier_edits_too() -> None:
    chosen = KeptBack().with_pause("acme/shop", None, NOW)
    assert chosen.keep_back(SHOP, "a.py", NOW - HOUR)
    assert chosen.keep_back(SHOP, "a.py", NOW + HOUR)
    assert not chosen.keep_back(("github.com/acme/other",), "a.py", NOW)


def test_what_was_edited_during_a_pause_never_leaves() -> None:
    chosen = KeptBack().with_pause(None, None, NOW).without_pause(None, None, NOW + HOUR)
    assert not chosen.is_paused
    assert chosen.keep_back(SHOP, "a.py", NOW + HOUR / 2)
    assert not chosen.keep_back(SHOP, "a.py", NOW - HOUR)
    assert not chosen.keep_back(SHOP, "a.py", NOW + HOUR)


@pytest.mark.parametrize(
    ("pattern", "path", "kept"),
    [
        ("secret/", "secret/a.py", True),
        ("secret/", "src/secret/deep/a.py", True),
        ("/secret/", "src/secret/a.py", False),
        ("secret/", "secret", False),
        ("*.env", "deploy/.env", True),
        ("*.env", "deploy/env.py", False),
        ("src/**/keys.py", "src/a/b/keys.py", True),
        ("src/keys.py", "src/keys.py", True),
    ],
)
def test_paths_are_named_as_in_a_gitignore(pattern: str, path: str, *, kept: bool) -> None:
    assert KeptBack().with_pause(None, pattern, NOW).keep_back(SHOP, path, NOW) is kept


def test_a_path_may_be_of_one_repository() -> None:
    chosen = KeptBack().with_pause("github.com/Acme/Shop", "docs/", NOW)
    assert chosen.keep_back(SHOP, "docs/a.md", NOW)
    assert not chosen.keep_back(("github.com/acme/other",), "docs/a.md", NOW)


def test_pausing_twice_is_pausing_once() -> None:
    once = KeptBack().with_pause("acme/shop", None, NOW)
    assert once.with_pause("Acme/Shop", None, NOW + HOUR) == once
    assert once.without_pause(None, None, NOW) == once


def test_choices_are_kept_and_the_hook_is_told(machine: Machine) -> None:
    chosen = KeptBack().with_pause(None, None, NOW)
    save(machine.places, chosen)
    assert load(machine.places) == chosen
    assert machine.places.paused.exists()
    save(machine.places, chosen.without_pause(None, None, NOW + HOUR))
    assert not machine.places.paused.exists()


def test_choices_that_cannot_be_read_stop_everything(machine: Machine) -> None:
    machine.places.prepare()
    machine.places.choices.write_text('{"pauses": 1}')
    with pytest.raises(ChoicesUnread, match="nothing is sent"):
        load(machine.places)
