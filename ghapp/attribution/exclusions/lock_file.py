"""Lock files: the dependencies that a package manager resolved. A manifest is not a lock file."""

import re

from ghapp.attribution.model import Change, FileDiff
from ghapp.attribution.policy import Policy

RULE_ID = "lock_file"
SENTENCE = "dependency lock files"

LOCK_FILES = frozenset(
    {
        # JavaScript
        "package-lock.json",
        ".package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "pnpm-lock.yml",
        "shrinkwrap.yaml",
        "bun.lockb",
        # Python
        "conda-lock.yml",
        "conda-lock.yaml",
        "pylock.toml",
        # Go
        "go.sum",
        "go.work.sum",
        # Ruby
        "gems.locked",
        # Swift
        "package.resolved",
        "cartfile.resolved",
        # Java, .NET, Haskell, D, Julia, Lean
        "gradle.lockfile",
        "buildscript-gradle.lockfile",
        "maven_install.json",
        "packages.lock.json",
        "project.lock.json",
        "cabal.project.freeze",
        "dub.selections.json",
        "juliamanifest.toml",
        "lake-manifest.json",
        # C and C++, Terraform, Neovim, Alpine images
        "vcpkg-lock.json",
        ".terraform.lock.hcl",
        "lazy-lock.json",
        "apko.lock.json",
    }
)
"""File names in lower case that do not end with ``.lock``."""

_PATTERNS = re.compile(
    # yarn.lock, Cargo.lock, poetry.lock, uv.lock, composer.lock, flake.lock, stack.yaml.lock,
    # requirements-dev.lock: any name before it and nothing after
    r".+\.lock"
    r"|pylock\.[^.]+\.toml"
    r"|.+\.conda-lock\.ya?ml"
    r"|.+\.opam\.locked"
)
_JULIA = re.compile(r"(?:Julia)?Manifest(?:-v\d+\.\d+)?\.toml")  # Manifest-v1.11.toml
"""Case-sensitive, because people call their own files ``manifest.toml``."""


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude a file by its name alone, in any folder.

    Every ``NAME.lock`` is a lock file, but ``padlock.ts``, ``locks.py`` and ``.lock`` are not.
    """
    name = file.path.rpartition("/")[2]
    lower = name.lower()
    return lower in LOCK_FILES or bool(_PATTERNS.fullmatch(lower) or _JULIA.fullmatch(name))
