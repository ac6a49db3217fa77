"""Git over HTTP, with the git command as the client."""

import base64
import os
import subprocess
from pathlib import Path

from tests.demo.sandbox.hub import Hub


def _git(hub: Hub, at: Path, *arguments: str, token: str | None = None) -> str:
    secret = base64.b64encode(f"x-access-token:{token or hub.own_token}".encode()).decode()
    done = subprocess.run(
        ["git", *arguments],
        cwd=at,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(at),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{hub.sandbox.web_url}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {secret}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout if done.returncode == 0 else f"failed: {done.stderr}"


def _bare(hub: Hub, root: Path) -> Path:
    at = root / "clone.git"
    at.mkdir()
    _git(hub, at, "init", "--quiet", "--bare", ".")
    _git(hub, at, "config", "remote.origin.url", f"{hub.sandbox.web_url}/acme/app.git")
    _git(hub, at, "config", "remote.origin.promisor", "true")
    _git(hub, at, "config", "remote.origin.partialclonefilter", "blob:none")
    return at


def test_two_shas_without_their_history(hub: Hub, tmp_path: Path) -> None:
    at, pull = _bare(hub, tmp_path), hub.pull
    for version in ("2", "0"):
        said = _git(
            hub, at, "-c", f"protocol.version={version}", "fetch", "--depth=1", "--no-tags",
            "--filter=blob:none", "origin", pull.merge_base, pull.head_sha,
        )  # fmt: skip
        assert said == "", version
    counted = _git(hub, at, "diff", "-M", "--numstat", pull.merge_base, pull.head_sha)
    assert counted == "1\t0\ta.py\n1\t0\tb.py\n"


def test_the_head_of_a_fork_outlives_it(hub: Hub, tmp_path: Path) -> None:
    fork = hub.sandbox.fork(hub.repository, "stranger")
    pull = hub.sandbox.open_pull(hub.repository, fork=fork, files={"f.py": "f = 1\n"})
    hub.sandbox.merge(pull)
    hub.sandbox.delete_forks(hub.repository)
    at = _bare(hub, tmp_path)
    assert _git(hub, at, "fetch", "origin", f"refs/pull/{pull.number}/head:refs/heads/it") == ""
    assert _git(hub, at, "rev-parse", "it").strip() == pull.head_sha


def test_git_that_hangs_or_fails(hub: Hub, tmp_path: Path) -> None:
    at, fetch = _bare(hub, tmp_path), ("fetch", "origin", "main")
    hub.sandbox.play(
        {"kind": "slow", "route": "*.git/git-upload-pack", "seconds": 1.0},
        {"kind": "server_error", "route": "*.git/info/refs", "after": 1},
    )
    slept: list[float] = []
    hub.sandbox.faults.sleep = slept.append  # type: ignore[method-assign]
    assert _git(hub, at, *fetch) == ""
    assert slept == [1.0]
    assert "502" in _git(hub, at, *fetch)


def test_who_may_not_fetch(hub: Hub, tmp_path: Path) -> None:
    at = _bare(hub, tmp_path)
    assert "failed" in _git(hub, at, "fetch", "origin", "main", token="ghs_wrong")
    without = hub.token(permissions={"checks": "write"})
    assert "403" in _git(hub, at, "fetch", "origin", "main", token=without)
    hub.sandbox.add_repository("other", "private")
    url = f"{hub.sandbox.web_url}/other/private.git"
    assert "not found" in _git(hub, at, "fetch", url, "main")
    assert "failed" in _git(hub, at, "push", "origin", "HEAD:refs/heads/mine")
    assert hub.sandbox.violations == []
