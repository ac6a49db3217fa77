"""Writes the engine's current answer into the expected.json of some cases.

    python -m tests.attribution.renew CASE [CASE ...]

Read the diff before you commit it: the case decides what is right, not the engine.
"""

import json
import sys

from tests.attribution.test_audits import audit_of, by_range
from tests.cases import FIXTURES


def renew(name: str) -> None:
    folder = FIXTURES / "audits" / name
    path = folder / "expected.json"
    expected = json.loads(path.read_text())
    audit = audit_of(folder)
    expected["verdict"], expected["state"] = str(audit.verdict), str(audit.state)
    expected["lines"] = {file.path: by_range(file) for file in audit.files}
    path.write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    for case in sys.argv[1:]:
        renew(case)
