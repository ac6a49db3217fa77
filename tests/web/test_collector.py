"""Installing the program from the app: one line with the digest, on two pages and for programs."""

import hashlib
from collections.abc import Iterator

import pytest

from ghapp.collector.program_wheel import NoOwnWheel, own_wheel
from ghapp.web import collector
from tests.web.place import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("collector"))
    yield made
    made.close()


def test_everybody_gets_the_program_and_the_line_that_installs_it(place: Place) -> None:
    browser = place.browser()
    line = browser.get("/collector/requirements.txt").text.strip()
    name, _, url = line.partition(" @ ")
    address, _, digest = url.partition("#sha256=")
    start = "http://localhost"
    assert (name, address.startswith(f"{start}/collector/ghapp-")) == ("ghapp", True)
    served = browser.get(address.removeprefix(start))
    assert hashlib.sha256(served.data).hexdigest() == digest == own_wheel().digest
    tag = {"If-None-Match": served.headers["ETag"]}
    assert browser.get(address.removeprefix(start), headers=tag).status_code == 304
    for page in (browser, place.signed_in("reader")):
        shown = page.get("/collector").text
        for tool in ("uv tool install", "pipx install", "pip install"):
            assert f'{tool} "{line}"' in shown
    tokens = place.signed_in("reader").get("/settings/tokens").text
    assert f'uv tool install "{line}"' in tokens
    assert "collect enroll http://localhost" in tokens
    missing = browser.get("/collector/ghapp-0.0.1-py3-none-any.whl")
    assert missing.status_code == 404
    assert own_wheel().file_name in missing.text


def test_an_installation_without_its_own_files_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> None:
        raise NoOwnWheel("this installation is neither a checkout nor a package named ghapp")

    monkeypatch.setattr(collector, "own_wheel", none)
    refused = place.browser().get("/collector")
    assert (refused.status_code, "neither a checkout" in refused.text) == (404, True)
    assert place.signed_in("reader").get("/settings/tokens").status_code == 200
