"""Random patterns and paths, and what git itself says of them."""

import os
import re
import subprocess
from pathlib import Path

from hypothesis import strategies as st

# "**" inside a name is not asked: behind letters git takes it for any number of folders after all
PART = st.text(st.sampled_from("ab*?"), min_size=1, max_size=5).map(
    lambda part: re.sub(r"\*+", "*", part)
)
PATTERN = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "/"]),
    st.lists(
        st.one_of(PART, st.just("**"), st.sampled_from(["[ab]", "[!a]", "[^b]", "\\*", "a\\b"])),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(["", "", "/"]),
)
PATH = st.lists(st.text(st.sampled_from("ab"), min_size=1, max_size=3), min_size=1, max_size=4).map(
    "/".join
)


ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def answered(repository: Path, *command: str, paths: list[str]) -> list[str]:
    asked = "".join(f"{path}\0" for path in paths)
    git = ["git", "-C", str(repository), *command, "-z", "--stdin"]
    return subprocess.run(
        git, input=asked, env=ENVIRONMENT, capture_output=True, text=True, check=False
    ).stdout.split("\0")


def empty_repository(path: Path) -> Path:
    """Return a repository whose attributes and ignored paths git may be asked for."""
    subprocess.run(
        ["git", "init", "--quiet", "--template=", str(path)], env=ENVIRONMENT, check=True
    )
    return path
