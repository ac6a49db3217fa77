"""Calls joined with their results, whatever their ids are."""

from ghapp.evidence.calls import OpenCalls


def test_a_result_finds_its_call_once() -> None:
    calls: OpenCalls[str] = OpenCalls()
    calls.add("c1", "one")
    calls.add("c2", "two")
    assert (calls.take("c2"), calls.take("c2"), calls.take("c3")) == ("two", None, None)
    assert calls.take_all() == ["one"]
    assert calls.take_all() == []


def test_a_blanked_result_belongs_to_the_only_call_that_can_be_meant() -> None:
    calls: OpenCalls[str] = OpenCalls()
    calls.add(None, "one")
    calls.add("c1", "named")
    assert calls.take(None) == "one"
    calls.add(None, "two")
    calls.add(None, "three")
    assert (calls.take(None), calls.take(None)) == (None, None)
    assert calls.take_all() == ["two", "three", "named"]


def test_behind_a_record_that_cannot_be_read_no_blanked_call_waits() -> None:
    calls: OpenCalls[str] = OpenCalls()
    calls.add(None, "its result may have been torn")
    calls.add("c1", "named")
    calls.doubt()
    assert (calls.take(None), calls.take("c1")) == (None, "named")
    calls.add(None, "next")
    assert calls.take(None) == "next"
    assert calls.take_all() == ["its result may have been torn"]


def test_an_id_names_another_call_where_the_call_is_another() -> None:
    calls: OpenCalls[str] = OpenCalls()
    assert [calls.tell("c", told) for told in ("a", "a", "b")] == [True, False, True]
    calls.add("c", "first")
    calls.add("c", "second")
    assert (calls.ended("c"), calls.take("c"), calls.ended("c")) == (False, "second", True)
    assert calls.take_all() == ["first"]
    assert not calls.ended("other")
