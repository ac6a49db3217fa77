"""Text from users, made harmless before GitHub or a terminal shows it. It formats no report.

File names, agent names and ids come from pull requests and transcripts: anyone can choose them.
Use `visible` for a terminal, `plain` where GitHub renders no Markdown, and `code`, `cell` or
`prose` for Markdown. Each returns one line.
"""

import re
import unicodedata

LONGEST = 200
"""Characters shown of one name; a longer one loses its middle."""

BREAK = "\u200b"
"""A zero-width space: it splits a mention or a reference, and nobody sees it."""

NARROW = 30
"""Characters of code that fit one row of a phone's table beside a number."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that hide, reorder or break a line: controls, bidi, surrogates, unassigned."""

# GitHub links these outside code spans, and inside them once somebody replies by e-mail and the
# quoted text comes back as plain text: "@octocat", "#12", "acme/app#12", "GH-12", "&#64;octocat",
# "https://…", "www.…". The break goes right after the match.
# https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
_SPARK = re.compile(r"[@#&](?=[\w#])|:(?=//)|www(?=\.)|GH-(?=\d)|mailto:|xmpp:", re.IGNORECASE)

# "a5c3785", "A5C3785ED8D6": GitHub links 7 to 40 hexadecimal digits that stand alone as a commit.
_COMMIT = re.compile(r"(?<!\w)[0-9a-f]{7,40}(?!\w)", re.IGNORECASE)

# "*", "_", "[", "- item": every ASCII sign except comma, space and a hyphen inside a word.
_MARKUP = re.compile(r"[!-+./:-@\[-`{-~]|(?<![0-9A-Za-z])-|-(?![0-9A-Za-z])")

_BACKTICKS = re.compile(r"`+")  # the three in "a```b"
_JOINT = re.compile(r"([/_.-])(?=\w)")  # the slash in "src/app", the line in "test_app"
_PIPE = re.compile(r"(\\?)\|")  # "|", "\\|"
_MATH = re.compile(r"([$:])")
_SIX = re.compile(r".{1,6}")


def visible(text: str, longest: int = LONGEST) -> str:
    r"""Return text with control, bidirectional and other invisible characters as ``\uXXXX``.

    Text over ``longest`` characters loses its middle.

    >>> visible("a\u202eb\n")
    'a\\u202eb\\u000a'
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_shown, text))
    return text if len(text) <= longest else _capped(text, longest)


def plain(text: str, longest: int = LONGEST) -> str:
    """Return text in which GitHub links no mention or reference; it is not safe in Markdown."""
    defused = _SPARK.sub(lambda spark: spark[0] + BREAK, visible(text, longest))
    return _COMMIT.sub(_every_sixth, defused)


def code(text: str) -> str:
    """Return text as a Markdown code span, with a fence longer than any run of backticks in it."""
    text = plain(text) or " "
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    padding = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def cell(text: str) -> str:
    r"""Return text as a code span for a table cell.

    A pipe ends the cell even inside a code span, so it becomes ``\|``. After a backslash in the
    text, ``\|`` would read as an escaped backslash and a pipe; there it becomes ``\u007c``.
    """
    return _PIPE.sub(_pipe, code(text))


def path_cell(path: str) -> str:
    """Return a path as a code span for a table cell; a long one may wrap after its signs.

    Otherwise it would push the columns beside it off a phone.
    """
    whole = cell(path)
    return whole if len(path) <= NARROW else _JOINT.sub(rf"\1{BREAK}", whole)


def prose(text: str, longest: int = LONGEST) -> str:
    """Return text for a Markdown sentence or a table cell, with every sign as an entity.

    Markdown never reads an entity as markup. GitHub links mentions after it renders Markdown,
    so `plain` splits those first.
    """
    # After rendering, GitHub still reads a dollar as a formula and a colon as an emoji.
    safe = _MATH.sub(rf"\1{BREAK}", plain(text, longest))
    return _MARKUP.sub(lambda sign: f"&#{ord(sign[0])};", safe)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in _INVISIBLE or (category == "Zs" and character != " "):
        number = ord(character)
        return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
    return character


def _capped(text: str, longest: int) -> str:
    """Cut out the middle, so that the directory and the file's name both stay readable."""
    tail = longest * 2 // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def _every_sixth(commit: re.Match[str]) -> str:
    return BREAK.join(_SIX.findall(commit[0]))


def _pipe(match: re.Match[str]) -> str:
    return match[1] + r"\u007c" if match[1] else r"\|"
