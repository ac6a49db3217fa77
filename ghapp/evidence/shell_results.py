"""Whether a shell command surely succeeded, by what an agent's record says of its end.

Only a stated exit status of 0 counts: a command without one may have failed or still run.
"""

import re

# Process exited with code 0, or Exit code: 0, above the output (codex-rs/core/src/tools); some
# results of Codex have metadata instead
_CODEX = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)$", re.MULTILINE)
_OUTPUT = "\nOutput:"
# Copilot: <exited with exit code 0>; Droid: [Process exited with code 0]; Qwen Code: Exit Code: 0
_LAST = re.compile(
    r"<exited with exit code (-?\d+)>|\[Process exited with code (-?\d+)\]|^Exit Code: (-?\d+)$",
    re.MULTILINE,
)


def succeeded_for_codex(prose: str) -> bool:
    r"""Return whether Codex's result tells the exit status 0, above the output or beside it.

    >>> succeeded_for_codex("Wall time: 0.1 seconds\nProcess exited with code 0\nOutput:\n")
    True
    """
    head, found, _ = prose.partition(_OUTPUT)
    above = _CODEX.findall(head) if found else []
    return above == ["0"]


def exit_code_of(value: object) -> int | None:
    """Return the exit status in a decoded result of older versions; ``None``: it has none."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    code = metadata.get("exit_code") if isinstance(metadata, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def succeeded_at_end(prose: str) -> bool:
    r"""Return whether the last exit status that a result tells is 0.

    >>> succeeded_at_end("two files\n<exited with exit code 0>")
    True
    """
    found = _LAST.findall(prose)
    return bool(found) and "".join(found[-1]) == "0"
