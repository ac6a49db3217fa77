"""Requests to vendors are bounded, and what went wrong is said without key, address or words."""

import msgspec
import pytest
import requests

from ghapp.vendors import asking
from ghapp.vendors.asking import VendorAccess, VendorRequests, decoded
from ghapp.vendors.refusals import VendorAway, WrongAnswer
from tests.vendors.reading import asking_of
from tests.vendors.stand_in import KEY, NOW, SECRET, Anthropic, Reply, served


def test_only_https_is_asked_or_this_machine() -> None:
    for address in ("http://api.example.com", "ftp://api.example.com", "nothing"):
        access = VendorAccess(address, KEY, "acme")
        with pytest.raises(ValueError, match="no https address"):
            VendorRequests(access, {}, clock=lambda: NOW)


def test_a_vendor_that_is_not_there_is_away_and_the_key_is_not_told() -> None:
    access = VendorAccess("http://127.0.0.1:9", KEY, "acme")
    made = VendorRequests(access, {"x-api-key": KEY}, clock=lambda: NOW)
    with pytest.raises(VendorAway, match="no whole answer \\(ConnectionError\\)") as away:
        made.json("GET", f"/{SECRET}", dict, query={"page": KEY})
    assert KEY not in str(away.value)
    assert KEY not in repr(access)


def test_an_answer_that_drips_too_long_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WHOLE_TIMES", -1)
    with served(Anthropic()) as told, asking_of(told) as made:
        told.route = lambda _: Reply({"data": []})  # type: ignore[method-assign]
        with pytest.raises(VendorAway, match="longer than"):
            made.json("GET", "/", dict)


def test_the_key_of_a_machine_s_own_file_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("home") / ".netrc"
    file.write_text("machine 127.0.0.1\nlogin somebody\npassword something\n")
    monkeypatch.setenv("NETRC", str(file))
    assert requests.utils.get_netrc_auth("http://127.0.0.1/") is not None
    with served(Anthropic()) as told, asking_of(told) as made:
        told.route = lambda _: Reply({})  # type: ignore[method-assign]
        made.json("GET", "/", dict)
        made.unsigned(f"{told.address}/file", "a file")
        assert [one.headers.get("Authorization") for one in told.asked] == [None, None]
        assert [one.headers.get("x-api-key") for one in told.asked] == [KEY, None]


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b'{"n": NaN}', b"<html>"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(WrongAnswer, match="GET /: not as documented"):
        decoded(body, object, "GET /")


def test_a_long_value_is_not_told() -> None:
    class Shape(msgspec.Struct, tag="known"):
        pass

    body = msgspec.json.encode({"type": SECRET * 10_000})
    with pytest.raises(WrongAnswer) as wrong:
        decoded(body, Shape, "GET /")
    assert SECRET not in str(wrong.value)
    assert "`$.type`" in str(wrong.value)
    assert len(str(wrong.value)) < 400


def test_more_rows_than_a_day_has_end() -> None:
    with pytest.raises(WrongAnswer, match="rows of one day"):
        asking.check_rows(asking.MOST_ROWS + 1, "GET /")
