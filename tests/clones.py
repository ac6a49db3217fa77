"""Makes real git repositories for tests, committed to at a fixed time."""

import subprocess
from pathlib import Path


class Clone:
    """A real repository, committed to at a fixed time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """Run git without anybody's configuration, at a fixed time."""
        who = {"NAME": "Dev", "EMAIL": "dev@example.org", "DATE": "2026-05-20T15:30:00Z"}
        env = {f"GIT_{role}_{key}": who[key] for role in ("AUTHOR", "COMMITTER") for key in who}
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            env={
                **env,
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.path),
                "GIT_CONFIG_NOSYSTEM": "1",
                # Else each commit starts a second process that looks for something to tidy.
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "maintenance.auto",
                "GIT_CONFIG_VALUE_0": "false",
            },
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        """Write files and commit everything; return the commit's name."""
        for name, content in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")
