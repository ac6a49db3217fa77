"""The program's own wheel: whole, the same bytes each time, and installable as its record says."""

import base64
import hashlib
import io
import tomllib
import zipfile
from importlib import metadata
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from ghapp import __version__
from ghapp.collector import program_wheel
from ghapp.collector.program_wheel import NoOwnWheel, own_wheel
from tests.cases import TOP

PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))


def test_the_same_files_give_the_same_bytes() -> None:
    first = own_wheel()
    own_wheel.cache_clear()
    assert own_wheel() == first
    assert first.digest == hashlib.sha256(first.content).hexdigest()
    name, version, _, _ = parse_wheel_filename(first.file_name)
    assert (name, str(version)) == ("ghapp", __version__)


def test_every_file_stands_in_the_record_with_its_digest() -> None:
    with zipfile.ZipFile(io.BytesIO(own_wheel().content)) as archive:
        names = archive.namelist()
        folder = f"ghapp-{__version__}.dist-info"
        rows = archive.read(f"{folder}/RECORD").decode().splitlines()
        told = {row.rsplit(",", 2)[0]: row.rsplit(",", 2)[1:] for row in rows}
        assert set(told) == set(names)
        for name in names:
            if name.endswith("/RECORD"):
                continue
            content = archive.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            assert told[name] == [f"sha256={digest.decode()}", str(len(content))]
    wanted = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"].values()
    assert {*wanted, "ghapp/cli/mine.py", "workers/__main__.py"} <= set(names)
    assert f"{folder}/licenses/LICENSE" in names
    assert not any("__pycache__" in name or name.startswith("tests/") for name in names)


def test_installed_it_is_a_package_that_makes_the_same_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = own_wheel()
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        archive.extractall(tmp_path)
    installed = PathDistribution(tmp_path / f"ghapp-{__version__}.dist-info")
    (script,) = installed.entry_points.select(group="console_scripts")
    assert (script.name, script.value) == ("ghapp", "ghapp.__main__:main")
    requires = [Requirement(one) for one in installed.requires or ()]
    base = {one.name for one in requires if one.marker is None}
    assert base == {Requirement(one).name for one in PROJECT["project"]["dependencies"]}
    server = {
        one.name for one in requires if one.marker and one.marker.evaluate({"extra": "server"})
    }
    extra = PROJECT["project"]["optional-dependencies"]["server"]
    assert server - base == {Requirement(one).name for one in extra}
    assert installed.metadata["Requires-Python"] == PROJECT["project"]["requires-python"]
    monkeypatch.setattr(program_wheel, "_PROJECT", tmp_path / "none")
    monkeypatch.setattr(metadata, "distribution", lambda _: installed)
    own_wheel.cache_clear()
    assert own_wheel() == made


def test_without_either_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(program_wheel, "_PROJECT", tmp_path / "none")
    monkeypatch.setattr(metadata, "distribution", absent)
    own_wheel.cache_clear()
    with pytest.raises(NoOwnWheel, match="neither a checkout"):
        own_wheel()


def test_the_image_holds_all_that_the_wheel_is_made_of() -> None:
    told = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*told["force-include"], *told["packages"], "pyproject.toml", "LICENSE"}
    copied = {
        name
        for line in (TOP / "Dockerfile").read_text("utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    let_in = {
        line.removeprefix("!") for line in (TOP / ".dockerignore").read_text("utf-8").splitlines()
    }
    assert needed <= copied
    assert needed <= let_in
