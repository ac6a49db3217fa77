"""The condition that a number is one of some, sent as one parameter. It looks nothing up.

A question over 500 repositories in four periods would send 2,000 parameters, which cost more to
write and to read than what they ask for; SQLite takes 32,766 of them at most.
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
    """Whole numbers: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the database at hand."""
        of_postgresql = ARRAY(BigInteger())
        return dialect.type_descriptor(of_postgresql if _has_arrays(dialect) else Text())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        """Return what is sent."""
        numbers = list(value or ())
        return numbers if _has_arrays(dialect) else json.dumps(numbers)


class _Among(FunctionElement[bool]):
    """A column and a parameter of numbers."""

    # As a Boolean it would be compared with 1 in SQLite, which then uses no index.
    type = Integer()  # type: ignore[assignment]
    name = "among"
    inherit_cache = True


def among(column: ColumnElement[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that a column is one of some whole numbers; of none it never is."""
    chosen = [*numbers]
    if len(chosen) == 1:
        # By a subquery SQLite would sort again what an index has in order.
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
