"""This program as a wheel, made of its own files: machines install the collector from it.

It builds nothing with tools: a wheel is a zip archive of the files with their digests
(https://packaging.python.org/en/latest/specifications/binary-distribution-format/). The same files
give the same bytes on every machine, so several web processes name one digest: nothing is
compressed, because versions of zlib compress differently, and no file has a time.
"""

import base64
import hashlib
import io
import stat
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from ghapp import __version__

NAME = "ghapp"
_PACKAGE = Path(__file__).resolve().parent.parent
_PROJECT = _PACKAGE.parent / "pyproject.toml"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_WHEEL = "Wheel-Version: 1.0\nGenerator: ghapp\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_LEFT_OUT = frozenset({"__pycache__", ".pyc", ".pyo"})


class OwnWheel(NamedTuple):
    """The wheel of this program."""

    file_name: str
    content: bytes
    digest: str
    """SHA-256 in hexadecimal digits."""


class NoOwnWheel(Exception):  # noqa: N818 - a state of this installation, named as what it is
    """This installation holds neither a checkout's project file nor a package's metadata."""


@cache
def own_wheel() -> OwnWheel:
    """Return the wheel of this program, with all its extras. Raises `NoOwnWheel`."""
    files, described = _of_checkout() if _PROJECT.exists() else _of_distribution()
    folder = f"{NAME}-{__version__}.dist-info"
    files |= {f"{folder}/{name}": text.encode() for name, text in described.items()}
    files[f"{folder}/WHEEL"] = _WHEEL.encode()
    record = f"{folder}/RECORD"
    rows = [f"{name},sha256={_digest(files[name])},{len(files[name])}\n" for name in sorted(files)]
    files[record] = "".join([*rows, f"{record},,\n"]).encode()
    content = _zipped(files)
    return OwnWheel(
        file_name=f"{NAME}-{__version__}-py3-none-any.whl",
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
    )


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Return an archive; the description comes last, as the specification recommends."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=lambda one: (".dist-info/" in one, one)):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, so that the mode below counts
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[name])
    return made.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


# --- where the files and their description are ----------------------------------------------------


def _of_checkout() -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the files of a checkout, or of an image that holds one, as its project file says."""
    project = tomllib.loads(_PROJECT.read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    top = _PROJECT.parent
    files = {
        path.relative_to(top).as_posix(): path.read_bytes()
        for package in wheel["packages"]
        for path in _below(top / package)
    }
    for source, target in wheel["force-include"].items():
        files[target] = (top / source).read_bytes()
    scripts = "".join(f"{name} = {to}\n" for name, to in project["project"]["scripts"].items())
    licenses = {name: (top / name).read_text("utf-8") for name in _licenses(project["project"])}
    return files, {
        "METADATA": _metadata(project["project"]),
        "entry_points.txt": f"[console_scripts]\n{scripts}",
        **{f"licenses/{name}": text for name, text in licenses.items()},
    }


def _licenses(project: Mapping[str, Any]) -> list[str]:
    """Return the files of the license, which goes with every copy."""
    return [str(name) for name in project["license-files"]]


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _LEFT_OUT.isdisjoint({*path.parts, path.suffix}):
            yield path


def _metadata(project: Mapping[str, Any]) -> str:
    lines = [
        *("Metadata-Version: 2.4", f"Name: {NAME}", f"Version: {__version__}"),
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        *(f"License-File: {name}" for name in _licenses(project)),
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {one}" for one in project["dependencies"]),
    ]
    for extra, packages in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += (f"Requires-Dist: {_of_extra(one, extra)}" for one in packages)
    return "\n".join(lines) + "\n"


def _of_extra(package: str, extra: str) -> str:
    """Return a requirement of an extra.

    >>> _of_extra("rq>=3", "server"), _of_extra("tzdata; os_name == 'nt'", "server")
    ("rq>=3; extra == 'server'", "tzdata; (os_name == 'nt') and extra == 'server'")
    """
    name, semicolon, marker = package.partition(";")
    told = f"({marker.strip()}) and " if semicolon else ""
    return f"{name.strip()}; {told}extra == '{extra}'"


def _of_distribution() -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the files of an installed package, as its own record lists them."""
    try:
        installed = metadata.distribution(NAME)
    except metadata.PackageNotFoundError as error:
        problem = f"this installation is neither a checkout nor a package named {NAME}"
        raise NoOwnWheel(problem) from error
    packages = {"ghapp", "workers"}
    found = [one for one in installed.files or () if one.parts[0] in packages]
    files = {
        one.as_posix(): one.read_binary()
        for one in found
        if _LEFT_OUT.isdisjoint({*one.parts, one.suffix})
    }
    licenses = [f"licenses/{name}" for name in installed.metadata.get_all("License-File") or ()]
    names = ("METADATA", "entry_points.txt", *licenses)
    told = {name: installed.read_text(name) for name in names}
    return files, {name: text for name, text in told.items() if text}
