"""A command substitutes only where its text proves that the program ran and succeeded."""

import pytest

from ghapp.evidence.shell_deeds import deeds

SED = "sed -i 's/a/b/' src/x.py"


def reached(command: str) -> list[str]:
    return [one.path for found in deeds(command) if found.rewrites for one in found.reach]


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        (SED, ["src/x.py"]),
        (f"{SED}; ls", ["src/x.py"]),
        (f"{SED} && pytest -q", ["src/x.py"]),
        (f"cd web && {SED}; ls", ["web/src/x.py"]),
        (f"cd /w/web && {SED}", ["/w/web/src/x.py"]),
        (f"git status && {SED}", ["src/x.py"]),
        (f"echo a; {SED} 2>/dev/null\n{SED}", ["src/x.py", "src/x.py"]),
        (f"cat > n <<'EOF'\nif x || y\nEOF\n{SED}", ["src/x.py"]),
        (f"pytest || true; {SED}", ["src/x.py"]),
        ("find src -name '*.py' -exec sed -i 's/a/b/' {} \\;", ["src"]),
        ("find src -name '*.py' -print0 | xargs -0 sed -i 's/a/b/'", ["src"]),
        ("git ls-files | xargs -n 1 -I F perl -pi -e 's/a/b/' F", ["."]),
        ('for f in a.py b.py; do\n  sed -i "s/a/b/" "$f"\ndone', ["a.py", "b.py"]),
        ("for f in a.py; do sed -i 's/a/b/' $f; echo $f; done && ls", ["a.py"]),
        ("gofmt -w -r 'oldName -> newName' pkg", ["pkg", "pkg"]),
    ],
)
def test_what_surely_ran_is_read(command: str, paths: list[str]) -> None:
    assert reached(command) == paths


@pytest.mark.parametrize(
    "command",
    [
        "ls",
        f"{SED} || true",
        f"true || {SED}",
        f"test -f a && {SED}; ls",
        f"if test -f a; then {SED}; fi",
        f"while read f; do {SED}; done",
        f"exit 0; {SED}",
        f"exec bash; {SED}",
        f"({SED})",
        f"{SED} &",
        f"{SED} | tee log",
        f'cd "$HOME" && {SED}',
        f"pushd web; {SED}",
        f"test -d web && cd web; {SED}",
        "cat list | xargs sed -i 's/a/b/'",
        "git ls-files | xargs sh -c \"sed -i 's/a/b/' $1\"",
        "git ls-files | xargs sed -i 's/a/b/' extra.py",
        "find . -name '*.py' -exec sh -c \"sed -i 's/a/b/' $1\" _ {} \\;",
        "for f in a b; do test -f $f && sed -i 's/a/b/' $f; done",
        "for f in a b; do cd $f; sed -i 's/a/b/' x; done",
        "for f in $LIST; do sed -i 's/a/b/' $f; done",
        "for f in a b; do sed -i 's/a/b/' $f",
        "for f in a b; do sed -i 's/a/b/' $g; done",
        "function f { sed -i 's/a/b/' x; }",
        "sed -i 's/a/b/' 'x",
        "echo \"sed -i 's/a/b/' x\"",
    ],
)
def test_what_may_not_have_run_is_passed_over(command: str) -> None:
    assert reached(command) == []
