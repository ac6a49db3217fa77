"""Threads that convert to a struct at once; without building it first the process dies."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from enum import StrEnum
import msgspec
from ghapp.attribution import struct_types

sys.setswitchinterval(1e-6)

def convert(kind, told, everybody):
    everybody.wait()
    for _ in range(10):
        msgspec.convert(told, kind)

for number in range(300):
    words = StrEnum("Word", {f"A{one}": f"a{one}" for one in range(12)})
    kind = msgspec.defstruct(f"Kind{number}", [(f"m{one}", words) for one in range(10)])
    struct_types.build_struct_types.cache_clear()
    assert struct_types.build_struct_types() > 0
    told, everybody = {f"m{one}": "a1" for one in range(10)}, threading.Barrier(4)
    threads = [threading.Thread(target=convert, args=(kind, told, everybody)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
print("converted")
"""


def test_threads_may_convert_at_once_to_what_was_built_before() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "converted\n"), done.stderr[-2000:]
