"""Rows on their way into and out of every table: chunks, text, structs. It opens no database."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, overload

import msgspec
from sqlalchemy import Row

from ghapp.attribution.model import Struct

Value = TypeVar("Value")
StructT = TypeVar("StructT", bound=Struct)

CHUNK = 500
"""Values in one ``IN (...)``. Old versions of SQLite take at most 999 parameters:
https://sqlite.org/limits.html#max_variable_number."""


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
    """Return text that both databases accept: without NUL and without half a surrogate pair.

    PostgreSQL rejects NUL, and UTF-8 cannot encode half a surrogate pair. File names and
    uploads can contain both.
    """
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def struct_of(kind: type[StructT], row: Row[Any], **changed: Any) -> StructT:
    """Return a row as a struct: each member is the column of its name, unless ``changed`` has it.

    Columns that the struct does not have are ignored.
    """
    columns = dict(zip(map(str, row._fields), row, strict=True))
    return msgspec.convert(columns | changed, kind)
