"""Searches every byte that leaves a machine for words that must not leave."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

import msgspec

from ghapp.collector.backfill import backfill
from ghapp.collector.client import CLIENT, UploadClient
from ghapp.collector.enroll import enroll
from ghapp.collector.flush import flush
from ghapp.collector.forgetting import forget
from ghapp.wire import ForgetRequest, WireProblem
from tests.collector.machine import MODEL, NOW, START, VERSION, Agent, Machine
from tests.collector.stand_in import App, Fault

SECRET = "quetzal marzipan hydrofoil obsidian periwinkle zugzwang"
WORDS = SECRET.split()


def secret_code(word: str) -> str:
    return f'def {word}(x):\n    # {word} is our secret\n    return "{word}" + x.{word}_id\n'


def everything_sent(machine: Machine, app: App) -> None:
    """Enroll, edit with every tool, flush, backfill, meet each kind of trouble, forget."""
    clone = machine.clone()
    clone.git("remote", "add", "customer", f"https://git.{WORDS[0]}.example/{WORDS[1]}/shop")
    enroll(machine.places, UploadClient(app.url), lambda _: None, now=NOW, sleep=lambda _: None)
    agent = Agent(machine, clone.path, "s1")
    agent.says(f"Please write {SECRET}")
    agent.write("src/a.py", secret_code(WORDS[2]))
    agent.edit("src/a.py", "is our secret", f"is {WORDS[3]}")
    agent.shell(f"echo {WORDS[4]} > b.py", {"b.py": ("", secret_code(WORDS[4]))})
    agent.refused("src/a.py", secret_code(WORDS[5]))
    outside = Agent(machine, machine.home / WORDS[0], "s2")
    outside.write("diary.md", secret_code(WORDS[0]))
    private = Agent(machine, machine.clone(f"git@github.com:{WORDS[1]}/x.git", "x").path, "s3")
    private.write("a.py", secret_code(WORDS[1]))
    for one in (agent, outside, private):
        for event, at in one.events:
            machine.take({**event, "prompt": SECRET}, at)
    app.faults = [
        Fault(503),
        Fault(409, WireProblem(error="stale", code="stale_key")),
    ]
    for hours in range(3):
        at = NOW + timedelta(hours=hours)
        flush(machine.places, now=at, folders=lambda: [machine.transcripts])
    Agent(machine, clone.path, "s4", subagent=True).write("src/c.py", secret_code(WORDS[0]))
    folders = [machine.transcripts]
    done = backfill(machine.places, folders, since=None, now=NOW, records=lambda: folders)
    assert done.sent == 2
    forget(machine.places, [ForgetRequest()], now=NOW)


def test_no_word_of_a_secret_leaves(machine: Machine, app: App) -> None:
    everything_sent(machine, app)
    assert len(app.edits) == 5
    sent = b"\n".join(app.received).lower()
    assert b"src/a.py" in sent, "the capture sees what is sent"
    for word in WORDS:
        for form in forms(word):
            assert form not in sent, word


def forms(word: str) -> set[bytes]:
    """Return a word as text, in hexadecimal, and in base64 wherever it starts in a group."""
    plain = word.encode()
    found = {plain, plain[::-1], plain.hex().encode(), "".join(f"%{c:02x}" for c in plain).encode()}
    for start in range(3):
        packed = base64.b64encode(b"\0" * start + plain)
        # Only the signs that do not depend on its neighbors: each holds 6 bits.
        inner = packed[-(-start * 8 // 6) : (start + len(plain)) * 8 // 6]
        found.add(inner.lower())
    return {one for one in found if len(one) >= 6}


def test_the_search_finds_what_it_looks_for() -> None:
    text = b"x = " + WORDS[0].encode() + b"_id"
    for form in (text, text.hex().encode(), base64.b64encode(text), base64.b64encode(b"a" + text)):
        assert any(one in form.lower() for one in forms(WORDS[0]))
    assert not any(one in b"nothing of the kind" for word in WORDS for one in forms(word))


def test_only_what_the_wire_names_is_sent(machine: Machine, app: App) -> None:
    everything_sent(machine, app)
    names = {
        name for body in app.received if body[:1] == b"{" for name in re.findall(rb'"(\w+)":', body)
    }
    assert names == {
        *(b"schema", b"client", b"machine", b"installation", b"key_id", b"remotes", b"edits"),
        *(b"id", b"agent", b"agent_session", b"at", b"path", b"outcome", b"tool", b"lines"),
        *(b"agent_version", b"model", b"agents", b"handle", b"paths"),
        *(b"version", b"transcripts", b"edits", b"seen_on", b"last_edit_on"),
        *(b"day", b"answers", b"is_aside", b"variant", b"context"),
        *(b"language", b"decision", b"decided_by"),
        *(b"tokens", b"input", b"output", b"reasoning", b"cache_read"),
        *(b"cache_write_5m", b"cache_write_1h", b"cache_write_unsplit", b"decisions"),
    }
    home = str(machine.home).encode()
    assert not any(home in one for one in app.received)


def test_usage_is_numbers_days_ids_and_names_and_nothing_else(machine: Machine, app: App) -> None:
    everything_sent(machine, app)
    assert app.reports
    said = {text for report in app.reports for text in texts(msgspec.to_builtins(report))}
    assert said == {
        *("ghapp/usage/1", CLIENT, app.reports[0].machine, "github.com/acme/shop"),
        *("claude-code", VERSION, MODEL, "s1", "s4", START.date().isoformat(), ""),
        *("Write", "Edit", "Python", "accepted", "refused", "person"),
    }


def texts(found: object) -> Iterator[str]:
    """Yield every text in some JSON but the names of members."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        yield from chain.from_iterable(map(texts, found.values()))
    elif isinstance(found, list | tuple):
        yield from chain.from_iterable(map(texts, found))
    else:
        assert found is None or isinstance(found, int), "numbers have no fractions"
