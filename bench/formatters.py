"""Real formatters on pieces of files: black for Python, prettier if Node.js is present."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import black
from black.parsing import InvalidInput

from bench.releases import language, prettier

_SERVER = """
const prettier = require(process.argv[1] + '/index.cjs');
const lines = require('readline').createInterface({input: process.stdin});
let turn = Promise.resolve();
lines.on('line', (line) => {
  const {text, options} = JSON.parse(line);
  turn = turn
    .then(() => prettier.format(text, options))
    .then((formatted) => ({formatted}), () => ({formatted: null}))
    .then((answer) => process.stdout.write(JSON.stringify(answer) + '\\n'));
});
"""
"""Answers each line on standard input (a text and options) with one line of JSON."""


@dataclass(frozen=True)
class Style:
    """Options of a formatter: line length in characters, open lists, semicolons."""

    width: int
    keep_open: bool = True
    semicolons: bool = True


class Formatters:
    """Black, and one running prettier; a context manager."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Formatters":
        if shutil.which("node"):
            self._server = _start(prettier())
        return self

    def __exit__(self, *_error: object) -> None:
        if self._server and self._server.stdin and self._server.stdout:
            self._server.stdin.close()
            self._server.wait(timeout=20)
            self._server.stdout.close()

    def format(self, lines: Sequence[str], path: str, style: Style) -> list[str] | None:
        """Return a piece of a file as its formatter writes it; ``None``: it does not parse."""
        full = [line for line in lines if line.strip()]
        if not full:
            return None
        depth = min(len(line) - len(line.lstrip(" ")) for line in full)
        text = "\n".join(line[depth:] for line in lines) + "\n"
        narrow = Style(style.width - depth, style.keep_open, style.semicolons)
        formatted = self._format(text, path, narrow)
        if formatted is None:
            return None
        found = formatted.rstrip("\n").split("\n")
        return [" " * depth + line if line else line for line in found]

    def _format(self, text: str, path: str, style: Style) -> str | None:
        if language(path) == "python":
            return _black(text, style)
        return self._prettier(text, path, style)

    def _prettier(self, text: str, path: str, style: Style) -> str | None:
        if self._server is None or not self._server.stdin or not self._server.stdout:
            return None
        options = {
            "filepath": Path(path).name,
            "printWidth": style.width,
            "semi": style.semicolons,
            "tabWidth": 2,
            "objectWrap": "preserve" if style.keep_open else "collapse",
        }
        self._server.stdin.write(json.dumps({"text": text, "options": options}) + "\n")
        self._server.stdin.flush()
        answer: dict[str, str | None] = json.loads(self._server.stdout.readline())
        return answer["formatted"]


def _black(text: str, style: Style) -> str | None:
    mode = black.Mode(line_length=max(20, style.width), magic_trailing_comma=style.keep_open)
    try:
        return black.format_str(text, mode=mode)
    except (InvalidInput, ValueError):
        return None


def _start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own script
        ["node", "-e", _SERVER, str(folder)],  # noqa: S607 - the user's own Node.js
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
