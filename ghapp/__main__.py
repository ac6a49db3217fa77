"""Makes ``python -m ghapp`` the same as ``ghapp``, and lets the hook by without the rest."""

import gc
import os
import sys

OURS_ALONE = 0o077
"""What we write is for its owner: databases, caches, bundles and logs hold who wrote what."""


def main() -> None:
    """Run the command line; an agent waits for the hook, so it is told apart before any import."""
    os.umask(OURS_ALONE)
    if sys.argv[1:] == ["collect", "hook"]:
        from ghapp.collector import hook  # noqa: PLC0415 - see above

        hook.main()
        return
    if sys.argv[1:2] == ["audit"]:
        # It makes no cycles and soon ends: looking for some takes a tenth of a small audit.
        gc.disable()
    from ghapp.cli.main import main as command  # noqa: PLC0415 - see above

    try:
        command(prog_name="ghapp")
    finally:
        # Nor is what is left at the end worth a search.
        gc.freeze()


if __name__ == "__main__":
    main()
