"""Lock files: what a package manager resolved and wrote down. Manifests are no lock files."""

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
"""Whole names in lower case, of files that do not end with ``.lock``."""

_PATTERNS = re.compile(
    # yarn.lock, Cargo.lock, poetry.lock, uv.lock, composer.lock, flake.lock, stack.yaml.lock,
    # requirements-dev.lock … : a name before it, and nothing after
    r".+\.lock"
    r"|pylock\.[^.]+\.toml"
    r"|.+\.conda-lock\.ya?ml"
    r"|.+\.opam\.locked"
)
_JULIA = re.compile(r"(?:Julia)?Manifest(?:-v\d+\.\d+)?\.toml")
"""With its capital letter, because ``manifest.toml`` is what people call files of their own."""


def excludes(file: FileDiff, _change: Change, _policy: Policy, /) -> bool:
    """Exclude by the file's name alone, in any folder.

    Any ``NAME.lock`` is one, but neither ``padlock.ts`` nor ``locks.py`` nor ``.lock``.
    """
    name = file.path.rpartition("/")[2]
    lower = name.lower()
    return lower in LOCK_FILES or bool(_PATTERNS.fullmatch(lower) or _JULIA.fullmatch(name))
