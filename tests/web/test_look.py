"""The look: colors that everybody can read in both schemes, and nothing from elsewhere."""

import re
from pathlib import Path

import pytest

from tests.cases import TOP

WEB = TOP / "ghapp" / "web"
SHEET = (WEB / "static" / "ghapp.css").read_text("utf-8")

TEXT = [
    *(("ink", on) for on in ("paper", "card", "track")),
    *(("soft", on) for on in ("paper", "card")),
    *(("accent", on) for on in ("paper", "card", "accent-soft")),
    ("on-accent", "accent"),
    ("warn", "warn-soft"),
    ("ink", "warn-soft"),
    ("bad", "bad-soft"),
    ("ink", "bad-soft"),
    ("ink", "accent-soft"),
    ("soft", "accent-soft"),
]
SHAPES = [
    ("with", "card"),
    ("without", "card"),
    ("edge", "card"),
    ("edge", "paper"),
    ("accent", "paper"),
]


def tokens(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)[:2]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark if scheme == "dark" else ""))


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, bright = sorted(map(luminance, (one, other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_shapes_stand_out_as_wcag_asks(scheme: str) -> None:
    color = tokens(scheme)
    weak = {
        (one, on): round(contrast(color[one], color[on]), 2)
        for one, on in TEXT
        if contrast(color[one], color[on]) < 4.5
    }
    weak |= {
        (one, on): round(contrast(color[one], color[on]), 2)
        for one, on in SHAPES
        if contrast(color[one], color[on]) < 3
    }
    assert weak == {}


def test_every_color_is_a_token() -> None:
    rules = re.sub(r":root \{.*?\}", "", SHEET, flags=re.DOTALL)
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rules)) <= {"#bbb"}


@pytest.mark.parametrize(
    "page", sorted((WEB / "templates").rglob("*.html")), ids=lambda one: one.name
)
def test_a_page_holds_nothing_inline_and_names_no_other_host(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(
        r"<script(?! src=\"\{\{ url_for\('static')|\son[a-z]+=|style=|<style", text
    )
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", text)
    assert "|safe" not in text.replace(" ", "")


def test_the_sheet_and_the_script_ask_no_other_host() -> None:
    for file in (WEB / "static").iterdir():
        assert not re.search(
            r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", file.read_text("utf-8")
        )
