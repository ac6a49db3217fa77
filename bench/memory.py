"""Peak memory of this process. It measures no other process."""

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak() -> int:
    """Return it in bytes.

    The operating system's account of a child begins with what its parent held when it was
    started, so Linux is asked for this program's own memory.
    """
    if sys.platform == "linux":
        lines = STATUS.read_text(encoding="ascii").splitlines()
        (line,) = (line for line in lines if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
