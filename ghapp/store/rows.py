"""What every table's module does with values on their way in and out. It opens no database."""

import itertools
from collections.abc import Iterable, Iterator
from typing import TypeVar, overload

Value = TypeVar("Value")

CHUNK = 500
"""Values in one ``IN (...)``; SQLite takes 999 parameters at least."""


def chunks(values: Iterable[Value], size: int = CHUNK) -> Iterator[list[Value]]:
    """Yield the values in lists of at most ``size``."""
    remaining = iter(values)
    while chunk := list(itertools.islice(remaining, size)):
        yield chunk


@overload
def clean(text: str) -> str: ...
@overload
def clean(text: None) -> None: ...
def clean(text: str | None) -> str | None:
    """Return text that both databases take: no NUL and no half of a surrogate pair.

    PostgreSQL refuses the first and no UTF-8 holds the second, yet both can stand in a
    file name or in what somebody sent.
    """
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
