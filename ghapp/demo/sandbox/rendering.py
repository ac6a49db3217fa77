"""Turns the Markdown of comments and check runs into safe HTML. It knows no pages."""

from html import escape
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markupsafe import Markup

ALLOWED = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "details": {"open"},
    "td": {"align"},
    "th": {"align"},
    **{
        tag: set[str]()
        for tag in (
            "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
            "i", "ins", "kbd", "li", "ol", "p", "pre", "s", "strong", "sub", "summary", "sup",
            "table", "tbody", "thead", "tr", "ul",
        )
    },
}  # fmt: skip
"""Allowed tags, each with its allowed attributes."""
VOID = {"br", "hr", "img"}
SILENT = {"script", "style", "title", "textarea", "iframe", "noscript", "template"}
"""Tags that are dropped together with their content."""
SCHEMES = ("http://", "https://", "#", "/")

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def to_html(markdown: str | None) -> Markup:
    """Return Markdown as HTML with allowed tags only."""
    cleaner = _Cleaner()
    cleaner.feed(_MARKDOWN.render(markdown or ""))
    cleaner.close()
    return Markup(cleaner.html())  # noqa: S704 - the cleaner wrote every character of it


class _Cleaner(HTMLParser):
    """Rewrites HTML with allowed tags only, without comments."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def html(self) -> str:
        """Return the written HTML, with every open tag closed."""
        return "".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write an allowed tag with its allowed attributes."""
        if tag in SILENT:
            self._silent += 1
        if self._silent or tag not in ALLOWED:
            return
        kept = "".join(
            f' {name}="{escape(value or "")}"'
            for name, value in _aligned(attrs)
            if name in ALLOWED[tag] and _is_safe(name, value or "")
        )
        self._out.append(f"<{tag}{kept}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close a tag and the tags left open inside it."""
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        if self._silent or tag not in self._open:
            return
        while (closed := self._open.pop()) != tag:
            self._out.append(f"</{closed}>")
        self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Write text."""
        if not self._silent:
            self._out.append(escape(data))


def _aligned(attrs: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """Turn a cell's ``text-align`` style, which Markdown tables use, into ``align``."""
    words = {"text-align:right": "right", "text-align:center": "center", "text-align:left": "left"}
    return [
        ("align", words[value]) if name == "style" and value in words else (name, value)
        for name, value in attrs
    ]


def _is_safe(name: str, value: str) -> bool:
    return name not in {"href", "src"} or value.lower().startswith(SCHEMES)
