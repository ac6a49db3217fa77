"""A day of a developer: a clone, and Claude Code's transcript of the edits in it."""

import json
from pathlib import Path

from tests.clones import Clone

SESSION = "5b1f0a00-0000-4000-8000-000000000001"
CALL = "toolu_01A09q90qw90lq917835lq9"
PROMPT = "Please write functions for the total and for a discount."
CODE = """\
def total(prices):
    return sum(price * quantity for price, quantity in prices)

def discount(amount, percent):
    return amount - amount * percent / 100
"""
ANSWER = {"input_tokens": 100, "output_tokens": 200}


def transcript(
    folder: Path,
    file: Path,
    code: str = CODE,
    *,
    is_aside: bool = False,
    session: str = SESSION,
) -> Path:
    """Write the transcript of one agent session that writes one file; return its path."""

    def record(kind: str, number: int, message: object, **more: object) -> str:
        told = {
            "sessionId": session,
            "cwd": str(file.parent),
            "version": "2.1.262",
            "isSidechain": is_aside,
            "parentUuid": None,
            "uuid": f"u{number}",
            "timestamp": f"2026-05-20T14:00:0{number}Z",
            "type": kind,
            "message": message,
        }
        return json.dumps({**told, **more}) + "\n"

    asked = {"file_path": str(file), "content": code}
    call = {"type": "tool_use", "id": CALL, "name": "Write", "input": asked}
    done = {"type": "create", "filePath": str(file), "content": code, "structuredPatch": []}
    answer = {
        "id": "msg_01A09q90qw90lq917835lq9q",
        "role": "assistant",
        "model": "claude-opus-4-5",
        "usage": ANSWER,
        "content": [call],
    }
    result = [{"type": "tool_result", "tool_use_id": CALL, "content": "File created"}]
    path = folder / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        record("user", 0, {"role": "user", "content": PROMPT})
        + record("assistant", 1, answer)
        + record("user", 2, {"role": "user", "content": result}, toolUseResult=done)
        + record("user", 3, {"role": "user", "content": "and now the tests"})
    )
    return path


class OwnDay:
    """A home with a clone of acme/shop whose lines an agent wrote, committed at 15:30."""

    def __init__(self, home: Path) -> None:
        self.records = home / ".claude" / "projects"
        self.shop = Clone(home / "shop")
        self.shop.git("remote", "add", "origin", "https://github.com/acme/shop.git")
        self.shop.commit({"README.md": "# shop\n"}, "Begin")
        self.file = self.shop.path / "src" / "totals.py"
        self.transcript = transcript(self.records / "-shop", self.file)
        self.shop.commit({"src/totals.py": CODE}, "Add totals (#1)")
