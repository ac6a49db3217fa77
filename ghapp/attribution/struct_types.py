"""What msgspec knows of each struct, built before threads share it. It decodes nothing.

The first time a struct is converted to or decoded, msgspec looks at its members and keeps what it
found. Two threads that are there at once see half of it, and the process dies of a segmentation
fault (msgspec 0.22.0; `tests/attribution/test_struct_types.py` plays it).
"""

from collections.abc import Iterator
from functools import cache

import msgspec


@cache
def build_struct_types() -> int:
    """Build what is not built yet of every struct that is imported; return how many there are.

    It takes some hundredths of a second, and only the first time. Structs that msgspec cannot
    decode are left out.
    """
    return sum(map(_build, {*_below(msgspec.Struct)}))


def _below(kind: type) -> Iterator[type]:
    found: list[type] = kind.__subclasses__()
    for one in found:
        yield one
        yield from _below(one)


def _build(kind: type) -> bool:
    try:
        msgspec.json.Decoder(kind)
    except (TypeError, NameError):
        return False
    return True
