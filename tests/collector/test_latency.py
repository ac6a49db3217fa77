"""The hook is measured with an event of usual size, and leaves this user's queue alone."""

from pathlib import Path

import pytest

from ghapp.collector import hook, latency


def test_every_run_queues_the_event_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    ran: list[str] = []

    def run(program: list[str], environment: dict[str, str], event: bytes | None = None) -> float:
        if event is not None:
            real(program, environment, event)
            ran.append("look")
            return float(len(ran))
        queued = Path(environment["XDG_STATE_HOME"]) / "ghapp" / "collector" / "queue"
        before = sum(path.read_bytes().count(b"\n") for path in queued.glob("*.queue"))
        real(program, environment)
        after = sum(path.read_bytes().count(b"\n") for path in queued.glob("*.queue"))
        ran.append("hook" if after == before + 1 else "python")
        return float(len(ran))

    real = latency._run
    monkeypatch.setattr(latency, "_run", run)
    monkeypatch.setattr(latency, "FILES", 3)
    found = latency.measure(5)
    assert ran == ["hook"] * 5 + ["python"] * 5 + ["look"] * 10
    assert found == latency.HookLatency(
        median=3.0, p95=4.0, interpreter=8.0, before=15.0, after=16.0
    )
    assert list(tmp_path.iterdir()) == []


def test_the_event_is_one_that_the_hook_keeps() -> None:
    assert hook.is_edit(latency.EVENT)
    assert latency.EVENT.count(b"total_") == latency.LINES
    assert len(latency.EVENT) < hook.MOST_BYTES
