"""The queue on disk: taken, read in parts, set aside, counted; no event is lost on the way."""

from datetime import timedelta
from pathlib import Path

import pytest

from ghapp.collector import hook, queue
from ghapp.collector.places import CollectorFiles
from tests.collector.machine import NOW

NEW = "github.com/acme/new"
AT = int(NOW.timestamp() * 1e9)


@pytest.fixture
def places(tmp_path: Path) -> CollectorFiles:
    made = CollectorFiles(directory=tmp_path / "collector")
    made.prepare()
    return made


def append(places: CollectorFiles, *numbers: int) -> None:
    for number in numbers:
        hook.append(str(places.directory), AT + number, b"{%d}" % number)


def lines(*numbers: int) -> list[bytes]:
    return [b"%d {%d}\n" % (AT + number, number) for number in numbers]


def test_an_empty_queue_has_nothing_to_take(places: CollectorFiles) -> None:
    assert queue.take(places) == []
    assert queue.waiting(places) == queue.QueueLength(0, 0, None)
    queue.bring_back(places, NOW)
    assert queue.take(places) == []


def test_what_is_taken_stays_until_it_is_done(places: CollectorFiles) -> None:
    append(places, 1, 2)
    (taken,) = queue.take(places)
    assert not places.open_file.exists()
    append(places, 3)
    # A flush that died leaves its file; only when that is done is the open one taken.
    assert queue.take(places) == [taken]
    assert list(queue.parts(taken)) == [lines(1, 2)]
    taken.unlink()
    (second,) = queue.take(places)
    assert list(queue.parts(second)) == [lines(3)]


def test_a_file_is_read_in_parts_and_a_large_event_alone(
    places: CollectorFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = (places.directory / "a.queue",)
    path.write_bytes(b"".join([*lines(1, 2), b"3 " + b"x" * 500 + b"\n", *lines(4)]))
    monkeypatch.setattr(queue, "PART", 2 * len(lines(1)[0]))
    found = list(queue.parts(path))
    assert [len(part) for part in found] == [2, 1, 1]
    assert b"".join(line for part in found for line in part) == path.read_bytes()
    path.write_bytes(b"")
    assert list(queue.parts(path)) == []


def test_what_is_set_aside_comes_back_a_day_later_in_order(places: CollectorFiles) -> None:
    queue.set_aside(places, NEW, lines(1), NOW)
    later = NOW + timedelta(hours=23)
    queue.set_aside(places, NEW, [lines(2)[0].rstrip()], later)
    assert queue.is_aside(places, NEW)
    assert queue.aside(places)[NEW].events == 2
    queue.bring_back(places, later)
    assert queue.take(places) == [], "the time of the first try stands"
    queue.bring_back(places, NOW + queue.TRY_AGAIN)
    (back,) = queue.take(places)
    assert back.read_bytes() == b"".join(lines(1, 2))
    assert not queue.is_aside(places, NEW)


def test_by_hand_or_with_a_clock_set_back_it_comes_at_once(places: CollectorFiles) -> None:
    queue.set_aside(places, NEW, lines(1), NOW)
    queue.bring_back(places, NOW, at_once=True)
    assert len(queue.take(places)) == 1
    queue.set_aside(places, NEW, lines(2), NOW + timedelta(days=9))
    queue.bring_back(places, NOW)
    assert not queue.is_aside(places, NEW)


def test_a_repositorys_name_makes_no_folders(places: CollectorFiles) -> None:
    for name in ("github.com/acme/../../etc", "github.com/acme/a%2Fb"):
        queue.set_aside(places, name, lines(1), NOW)
        assert queue.aside(places)[name].events == 1
    assert {path.parent for path in places.directory.rglob("*.queue")} == {places.aside}


def test_all_that_waits_is_counted_and_shown_without_being_taken(places: CollectorFiles) -> None:
    append(places, 2)
    queue.take(places)
    append(places, 3)
    queue.set_aside(places, NEW, lines(1), NOW)
    size = sum(map(len, lines(2, 3)))
    assert queue.waiting(places) == queue.QueueLength(2, size, AT + 2)
    assert sorted(queue.lines(places)) == lines(1, 2, 3)
    assert queue.waiting(places).events == 2


def test_a_line_without_a_time_is_counted_all_the_same(places: CollectorFiles) -> None:
    append(places, 1)
    places.open_file.write_bytes(b"no time\n")
    assert queue.waiting(places) == queue.QueueLength(1, 8, None)


def test_nothing_is_left_of_what_is_removed(places: CollectorFiles) -> None:
    append(places, 1)
    queue.take(places)
    append(places, 2)
    queue.set_aside(places, NEW, lines(3), NOW)
    queue.remove_all(places)
    assert list(queue.lines(places)) == []
