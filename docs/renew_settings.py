"""Renews docs/settings.md and .env.example from the table in ghapp/settings.py.

Run `.venv/bin/python docs/renew_settings.py` after a change of the table. It writes the heading
and the first paragraph of each section of the page; what follows that paragraph is written by
hand and stays.
"""
# ruff: noqa: INP001 - a script beside the page that it makes, not a package

import re
import textwrap
from pathlib import Path

from ghapp.settings import VARIABLES, SettingVariable

TOP = Path(__file__).resolve().parent.parent
PAGE = TOP / "docs" / "settings.md"
EXAMPLE = TOP / ".env.example"
WIDTH = 140
"""Columns."""
EXAMPLE_HEAD = """\
# Copy this to .env or into your process manager. `ghapp serve` on one machine needs none of it:
# its set-up page registers the app and writes the credentials into the data directory.
# docs/settings.md says more about each variable; docs/renew_settings.py makes this file.
"""


def page(text: str) -> str:
    """Return the page with its sections renewed, in the order of the table."""
    head, *parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)  # "## GHAPP_NAMES"
    by_hand = {
        name: body.strip().partition("\n\n")[2]
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
    sections = (
        "\n\n".join(filter(None, (f"## {name}\n{facts(row)}", by_hand.get(name, ""))))
        for name, row in VARIABLES.items()
    )
    return head + "\n\n".join(sections) + "\n"


def facts(row: SettingVariable) -> str:
    """Return what the table says of a variable, as a paragraph of Markdown."""
    said = {
        row.sentence: row.sentence,
        f"Default: `{row.default}`.": row.default,
        f"If unset, {row.unset}.": row.unset,
        f"Required: {row.required}.": row.required,
        "`credentials.env` may hold it.": row.in_credentials,
    }
    text = " ".join(sentence for sentence, holds in said.items() if holds)
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def example() -> str:
    """Return .env.example: each variable with its default, below its sentence."""
    blocks = (
        textwrap.fill(row.sentence, WIDTH, initial_indent="# ", subsequent_indent="# ")
        + f"\n{row.name}={row.default}\n"
        for row in VARIABLES.values()
    )
    return EXAMPLE_HEAD + "\n" + "\n".join(blocks)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")
    EXAMPLE.write_text(example(), encoding="utf-8")
