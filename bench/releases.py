"""Two releases each of well-known packages, fetched at bench time and not stored here.

Archives come through ``pip`` and ``npm`` from whatever index these are configured for, and
are kept in the user's cache folder, outside of the repository.
"""

import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.console import run

PYTHON = {
    "flask": ("1.1.4", "3.0.0"),
    "rich": ("10.0.0", "13.7.0"),
    "httpx": ("0.18.0", "0.27.0"),
    "jinja2": ("2.11.3", "3.1.4"),
    "requests": ("2.25.0", "2.32.0"),
    "pytest": ("6.2.0", "8.0.0"),
    "networkx": ("2.5", "3.2"),
    "dask": ("2022.1.0", "2023.1.0"),
    "click": ("7.1.2", "8.1.7"),
    "attrs": ("20.3.0", "23.2.0"),
    "marshmallow": ("3.0.0", "3.21.0"),
    "tqdm": ("4.50.0", "4.66.1"),
    "pybind11": ("2.6.0", "2.12.0"),
}
"""Package → the releases before and after; pybind11 is C++, networkx and dask hold their tests."""

NODE = {
    "commander": ("8.0.0", "12.0.0"),
    "fastify": ("4.0.0", "4.26.0"),
    "zod": ("4.0.0", "4.1.0"),
    "express": ("4.17.1", "5.0.0"),
    "axios": ("0.21.1", "1.6.0"),
    "rxjs": ("6.6.0", "7.8.0"),
    "bootstrap": ("4.6.0", "5.3.0"),
}
"""The same for JavaScript, TypeScript and style sheets; fastify and zod include their tests."""

PRETTIER = "3.3.3"
"""Release of the formatter for JavaScript and TypeScript."""

SUFFIXES = {
    ".py": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".ts": "typescript",
    ".h": "c++",
    ".scss": "style sheet",
}

EXCLUDED_WORDS = (
    "build", "cassette", "dist", "fixture", "generated", "lock", "min.", "mock", "node_modules",
    "_pb2", "snapshot", "target", "testdata", "test_data", "third_party", "vendor", ".d.ts",
)  # fmt: skip
"""The policy may exclude paths with these words, so such files are no sources."""

LARGEST = 60_000
"""Largest source file, in characters."""


@dataclass(frozen=True)
class Pair:
    """Two releases of one package: source files by path, as text with Unix line ends."""

    package: str
    versions: tuple[str, str]
    old: dict[str, str]
    new: dict[str, str]


def language(path: str) -> str:
    """Return ``python``, ``javascript``, another of `SUFFIXES`, or ``text``."""
    return SUFFIXES.get(Path(path).suffix, "text")


def cache() -> Path:
    """Return the cache folder of archives."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "ghapp-bench"


def pairs(packages: tuple[str, ...]) -> Iterator[Pair]:
    """Yield the two releases of each package; raises `ValueError` for an unknown one."""
    for package in packages:
        versions = PYTHON.get(package) or NODE.get(package)
        if versions is None:
            message = f"package {package!r} is not known; choose from {', '.join(known())}"
            raise ValueError(message)
        old, new = (_sources(archive(package, version)) for version in versions)
        yield Pair(package, versions, old, new)


def known() -> tuple[str, ...]:
    """Return the names of all packages."""
    return (*PYTHON, *NODE)


def archive(package: str, version: str) -> Path:
    """Return the archive of one release, fetched if it is not in the cache."""
    folder = cache() / f"{package}-{version}"
    if not any(_archives(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        run(_fetch(package, version, folder), cwd=folder)
    return next(_archives(folder))


def prettier() -> Path:
    """Return the folder of the formatter's program, unpacked."""
    found = archive("prettier", PRETTIER)
    folder = found.parent / "package"
    if not folder.exists():
        with tarfile.open(found) as packed:
            packed.extractall(found.parent, filter="data")
    return folder


def _archives(folder: Path) -> Iterator[Path]:
    yield from sorted([*folder.glob("*.whl"), *folder.glob("*.tgz")])


def _fetch(package: str, version: str, folder: Path) -> list[str]:
    if package in PYTHON:
        options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
        return [sys.executable, "-m", "pip", "download", *options, f"{package}=={version}"]
    return ["npm", "pack", "--silent", f"{package}@{version}"]


def _sources(path: Path) -> dict[str, str]:
    """Return the usable source files of an archive."""
    found: dict[str, str] = {}
    for name, raw in _members(path):
        if _is_usable(name) and len(raw) <= LARGEST:
            text = _decoded(raw)
            if text and not _is_generated(text):
                found[name] = text
    return found


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as packed:
            yield from (("src/" + name, packed.read(name)) for name in sorted(packed.namelist()))
        return
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as packed_tar:
        for member in sorted(packed_tar.getmembers(), key=lambda one: one.name):
            file = packed_tar.extractfile(member)
            if file:
                yield member.name.partition("/")[2], file.read()


def _is_usable(name: str) -> bool:
    return language(name) != "text" and not any(word in name.lower() for word in EXCLUDED_WORDS)


def _is_generated(text: str) -> bool:
    return "generated" in text[:600].lower() or max(map(len, text.split("\n"))) > 900


def _decoded(raw: bytes) -> str | None:
    """Return a file's text, or ``None`` if splitting and joining lines would change it."""
    try:
        text = raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    if (
        text.splitlines() != text.rstrip("\n").split("\n")
        and text.split("\n")[:-1] != text.splitlines()
    ):
        return None
    return text
