"""One checkout's pages, asked by another process: makes the database, answers what they cost.

It runs as a script, with the checkout that is measured on the path and not its own. So it may use
only what every commit since `FIRST` has, by either of its names.
"""

import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

from bench import pages
from ghapp.store import Store
from tests.databases import new_database, postgresql_server
from tests.queues import valkey_server

FIRST = "93542d3"
"""The oldest commit whose own bench this understands."""
REQUESTS = 3
"""Requests in one turn: PostgreSQL's CPU is counted in hundredths of a second."""


def main(kind: str, audits: str, seed: str, folder: str) -> None:
    """Answer each address that is read with milliseconds of CPU; the first says it is ready."""
    file = Path(folder) / "pages.sqlite3"
    # Later commits have more options than earlier ones.
    given = {"audits": int(audits), "seed": int(seed), "databases": (kind,), "keep": file.parent}
    options = pages.Options(**{one.name: given.get(one.name) for one in fields(pages.Options)})  # type: ignore[arg-type]
    with ExitStack() as stack:
        if not file.exists():
            _named("make")(file, options)
        url = f"sqlite:///{file}"
        valkey = stack.enter_context(valkey_server())
        if kind == "postgresql":
            url = stack.enter_context(new_database(stack.enter_context(postgresql_server())))
            copied = (pages.COPIED,) if hasattr(pages, "copy") else ()
            _named("copy")(file, url, *copied)
        store = Store.open(url)
        settings = stack.enter_context(tempfile.TemporaryDirectory())
        browser = (getattr(pages, "signed_in", None) or _named("browser"))(store, valkey, settings)
        server = pages.Server.of(store.database)
        pages.TIMES = REQUESTS
        _answer({})
        for path in map(str.strip, sys.stdin):
            found = _named("timed")(kind, path, browser, path, server, *_times())
            _answer({"web": found.web, "server": found.server or 0.0})
        store.close()


def _named(name: str) -> Any:
    """Return a function of the measured bench, whether it is private there or not."""
    return getattr(pages, name, None) or getattr(pages, f"_{name}")


def _times() -> tuple[int, ...]:
    return (REQUESTS,) if hasattr(pages, "timed") else ()


def _answer(found: dict[str, float]) -> None:
    sys.__stdout__.write(f"\n{MARK}{json.dumps(found)}\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


MARK = "answer: "
"""Beginning of a line of this protocol: what the bench itself says is on the same stream."""

if __name__ == "__main__":
    main(*sys.argv[1:])
