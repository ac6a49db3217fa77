"""Text from users made harmless before GitHub or a terminal shows it. It formats no report.

File names, agent names and ids come from pull requests and transcripts: anyone writes them.
Three strengths: `visible` for a terminal, `plain` for what GitHub shows as it stands, and
`code`, `cell` and `prose` for Markdown. Each returns one line.
"""

import re
import unicodedata

LONGEST = 200
"""Characters that are shown of one name; more of it is cut out in the middle."""

BREAK = "\u200b"
"""A zero-width space: takes a mention or a reference apart, and nobody sees it."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that hide, reorder or break a line: controls, bidi, surrogates, unassigned."""

# GitHub acts on these outside code spans, and inside them once somebody answers by e-mail and the
# quotation comes back as plain text: "@octocat", "#12", "acme/app#12", "GH-12", "&#64;octocat",
# "https://…", "www.…". The break goes behind what starts each.
_SPARK = re.compile(r"[@#&](?=[\w#])|:(?=//)|www(?=\.)|GH-(?=\d)|mailto:|xmpp:", re.IGNORECASE)

# A commit's name: GitHub links 7 to 40 hexadecimal digits that stand by themselves.
_COMMIT = re.compile(r"(?<!\w)[0-9a-f]{7,40}(?!\w)", re.IGNORECASE)

# Every ASCII sign but the comma, the space and a hyphen within a word.
_MARKUP = re.compile(r"[!-+./:-@\[-`{-~]|(?<![0-9A-Za-z])-|-(?![0-9A-Za-z])")

_BACKTICKS = re.compile(r"`+")


def visible(text: str, longest: int = LONGEST) -> str:
    r"""Show control, bidirectional and other invisible characters as ``\uXXXX``; cap the length.

    >>> visible("a\u202eb\n")
    'a\\u202eb\\u000a'
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_shown, text))
    return text if len(text) <= longest else _capped(text, longest)


def plain(text: str, longest: int = LONGEST) -> str:
    """Take mentions and references apart in text that GitHub shows without Markdown."""
    defused = _SPARK.sub(lambda spark: spark[0] + BREAK, visible(text, longest))
    return _COMMIT.sub(_every_sixth, defused)


def code(text: str) -> str:
    """Return text as a Markdown code span; its fence is longer than any row of backticks in it."""
    text = plain(text) or " "
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    padding = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def cell(text: str) -> str:
    r"""Return text as a code span inside a table's row.

    A pipe ends the cell even within a code span and is written ``\|``. Behind a backslash of
    the name's own that would read as an escaped backslash and a pipe, so there it is spelled out.
    """
    return re.sub(r"(\\?)\|", _pipe, code(text))


def prose(text: str, longest: int = LONGEST) -> str:
    """Return text for a Markdown sentence or a table's cell: every sign as a character entity.

    Entities are never read as markup; what GitHub looks for after Markdown is taken apart first.
    """
    # The dollar starts a formula, and the colon an emoji, in the finished page.
    safe = re.sub(r"([$:])", rf"\1{BREAK}", plain(text, longest))
    return _MARKUP.sub(lambda sign: f"&#{ord(sign[0])};", safe)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in _INVISIBLE or (category == "Zs" and character != " "):
        number = ord(character)
        return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
    return character


def _capped(text: str, longest: int) -> str:
    """Cut out the middle: both the directory and the file's own name stay readable."""
    tail = longest * 2 // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def _every_sixth(commit: re.Match[str]) -> str:
    return BREAK.join(re.findall(".{1,6}", commit[0]))


def _pipe(match: re.Match[str]) -> str:
    return match[1] + r"\u007c" if match[1] else r"\|"
