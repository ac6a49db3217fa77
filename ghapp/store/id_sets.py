"""The condition that a number is in a set, sent as one parameter. It queries nothing.

A query over 500 repositories in four periods would send 2,000 parameters: building and parsing
them costs more than the query itself. SQLite takes at most 32,766:
https://sqlite.org/limits.html#max_variable_number.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class _Numbers(TypeDecorator[Sequence[int]]):
    """Integers: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type for this database."""
        of_postgresql = ARRAY(BigInteger())
        return dialect.type_descriptor(of_postgresql if _has_arrays(dialect) else Text())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        """Return the value to send."""
        numbers = list(value or ())
        return numbers if _has_arrays(dialect) else json.dumps(numbers)


class _Among(FunctionElement[bool]):
    """A column, and a parameter that holds numbers."""

    # SQLAlchemy would compare a Boolean with 1, and SQLite would then use no index.
    type = Integer()  # type: ignore[assignment]
    name = "among"
    inherit_cache = True


def among(column: ColumnElement[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that a column is one of these integers; an empty set never matches."""
    chosen = [*numbers]
    if len(chosen) == 1:
        # With a subquery SQLite would sort again what an index already has in order.
        return column == chosen[0]
    return _Among(column, bindparam(None, chosen, type_=_Numbers(), unique=True))


def _has_arrays(dialect: Dialect) -> bool:
    return dialect.name == "postgresql"


@compiles(_Among)
def _json(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, numbers = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608 - our own names


@compiles(_Among, "postgresql")
def _array(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, numbers = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY({numbers})"
