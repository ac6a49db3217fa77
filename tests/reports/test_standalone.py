"""A page of its own: the browser loads nothing for it, and runs only its script."""

import base64
import hashlib
import re
from html import unescape

from ghapp.reports.standalone import page


def policy(text: str) -> dict[str, str]:
    [content] = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    return dict(part.split(" ", 1) for part in unescape(content).split("; "))


def told(text: str, tag: str) -> str:
    [content] = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def test_only_what_is_on_the_page_is_allowed() -> None:
    text = page("Lines", "<p>body</p>", "count();")
    assert policy(text) == {
        "default-src": "'none'",
        "style-src": told(text, "style"),
        "script-src": told(text, "script"),
    }
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import""", text)


def test_a_page_without_a_script_runs_none() -> None:
    text = page("Lines", "<p>body</p>")
    assert policy(text)["script-src"] == "'none'"
    assert "<script" not in text


def test_a_title_is_text() -> None:
    text = page("<b>&", "")
    assert "<title>&lt;b&gt;&amp;</title>" in text
    assert "<h1>&lt;b&gt;&amp;</h1>" in text
