"""The values of ``--root``, as transcripts name directories. It asks no disk what is there."""

from pathlib import Path

import click


def as_roots(ctx: click.Context, param: click.Parameter, roots: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001 - click's signature
    """Return roots as transcripts name them, as click's callback.

    ``.`` and ``../app`` are of this machine and become absolute; any other path may be of
    another machine, or another system, and stays as it is.
    """
    return tuple(str(Path(root).resolve()) if root.startswith(".") else root for root in roots)
