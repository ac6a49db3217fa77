"""Which version and model made a call that a hook told of. It takes nothing else of a transcript.

The hook's event names neither (https://code.claude.com/docs/en/hooks), but it names the transcript,
whose record of the call does.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ghapp.attribution.model import EditSource
from ghapp.evidence.json_records import some_text

UNKNOWN = EditSource(agent_version=None, model=None)


class _Message(msgspec.Struct, gc=False):
    model: Any = None


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    version: Any = None
    message: _Message | None = None


_RECORD = msgspec.json.Decoder(_Record)


def made_by(transcript: Path, call: str) -> EditSource:
    """Return what made a call; `UNKNOWN` if the transcript is not there or does not say."""
    try:
        with (
            transcript.open("rb") as file,
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as text,
        ):
            for line in _lines_with(text, f'"{call}"'.encode()):
                found = _source(line)
                if found is not None:
                    return found
    except (OSError, ValueError):  # not there, or empty
        return UNKNOWN
    return UNKNOWN


def _lines_with(text: mmap.mmap, name: bytes) -> Iterator[bytes]:
    """Yield the lines that hold a name, the last one first: the call was made just now."""
    end = len(text)
    while (at := text.rfind(name, 0, end)) >= 0:
        start = text.rfind(b"\n", 0, at) + 1
        stop = text.find(b"\n", at)
        yield text[start : stop if stop >= 0 else len(text)]
        end = start


def _source(line: bytes) -> EditSource | None:
    """Return what made the calls of a record; ``None``: it holds none."""
    try:
        record = _RECORD.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if record.type != "assistant" or record.message is None:
        return None
    return EditSource(
        agent_version=some_text(record.version), model=some_text(record.message.model)
    )
