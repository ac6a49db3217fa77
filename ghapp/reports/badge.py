"""A README badge as SVG: a label and a value side by side. It loads nothing."""

from markupsafe import escape

from ghapp.reports.summary import percent
from ghapp.summaries.counts import PullCounts

HEIGHT = 20
"""Pixels."""
PADDING = 6
"""Pixels on each side of a text."""
CHARACTER = 6.6
"""Average width in pixels of a character of 11 px Verdana; ``textLength`` fits the text to it."""
LEFT, RIGHT, QUIET = "#424a53", "#6639ba", "#59636e"
"""Dark enough for white text: the contrast is at least 4.5:1, as WCAG AA asks."""

LABEL = "agent-assisted lines"


def badge(counts: PullCounts) -> str:
    """Return a repository's badge: its share as a floor, or why there is none."""
    if not counts.pulls:
        return drawn(LABEL, "no audits yet", QUIET)
    if not counts.known_effective:
        return drawn(LABEL, "no evidence", QUIET)
    share = percent(counts.whole_attributed, counts.whole_effective)
    return drawn(LABEL, f"at least {share}", RIGHT)


def drawn(label: str, value: str, color: str) -> str:
    """Return two texts as an SVG image that a screen reader can read out."""
    left, right = (round(len(text) * CHARACTER) + 2 * PADDING for text in (label, value))
    whole = escape(f"{label}: {value}")
    texts = "".join(
        f'<text x="{x}" y="14" textLength="{width - 2 * PADDING}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
        for x, width, text in ((PADDING, left, label), (left + PADDING, right, value))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" '
        f'role="img" aria-label="{whole}"><title>{whole}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="{HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{HEIGHT}" fill="{LEFT}"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{color}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{texts}</g>'
        "</svg>"
    )
