"""Real repositories, and a real git server on this machine: what is read, and what is refused."""

import base64
import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ghapp.attribution.unified_diff import parse_diff
from ghapp.git.repository import GitError, GitRepository, fetch_commits, remove_unused
from tests.clones import Clone

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
TOKEN = "ghs_" + "1a2B" * 9
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    # Else each commit starts a second process that looks for something to tidy.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "maintenance.auto",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2026-05-01T10:00:00+02:00",
    "GIT_COMMITTER_NAME": "Bob",
    "GIT_COMMITTER_EMAIL": "bob@example.com",
    "GIT_COMMITTER_DATE": "2026-05-20T17:30:00+02:00",
    "LC_ALL": "C",
}


class Made:
    """A repository that a test makes with git itself."""

    def __init__(self, path: Path, *init: str) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.run("init", "--quiet", "--initial-branch=main", "--template=", *init)

    def run(self, *command: str) -> str:
        """Run git and return what it prints."""
        return subprocess.run(
            ["git", *command],
            cwd=self.path,
            env=ENVIRONMENT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()

    def commit(self, message: str, files: dict[str, str | None]) -> str:
        """Write the files, ``None`` removes one, commit all and return the commit's name."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        self.run("add", "--all")
        self.run("commit", "--quiet", "--allow-empty", "-m", message)
        return self.run("rev-parse", "HEAD")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "made")


@pytest.fixture(scope="module")
def one_commit(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a repository of one commit, for tests that change nothing."""
    made = Made(tmp_path_factory.mktemp("one") / "made")
    made.commit("root", {"a": "a"})
    return made


def added(diff: bytes) -> dict[str, list[str]]:
    return {file.path: [line.text for line in file.added()] for file in parse_diff(diff)}


# --- commits ----------------------------------------------------------------------------------


def test_commit_as_it_is_recorded(made: Made) -> None:
    root = made.commit("root", {"a.py": "a\n"})
    sha = made.commit("Second\n\nBody with ü.", {"a.py": "b\n"})
    commit = GitRepository(made.path).commit("main")
    assert (commit.sha, commit.parents) == (sha, (root,))
    assert commit.committed_at == datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
    assert commit.author_email == "ada@example.com"
    assert commit.message == "Second\n\nBody with ü.\n"


def test_commit_of_a_merge_has_both_parents_in_order(made: Made) -> None:
    made.commit("root", {"a.py": "a\n"})
    made.run("checkout", "--quiet", "-b", "side")
    side = made.commit("side", {"s.py": "s\n"})
    made.run("checkout", "--quiet", "main")
    main = made.commit("main", {"m.py": "m\n"})
    made.run("merge", "--quiet", "--no-edit", "side")
    git = GitRepository(made.path)
    merge = git.commit("HEAD")
    assert merge.parents == (main, side)
    assert added(git.diff(merge.parents[0], merge.sha)) == {"s.py": ["s"]}
    assert git.merge_base(main, side) == git.commit("HEAD~2").sha


def test_message_in_another_encoding(made: Made) -> None:
    made.run("config", "i18n.commitEncoding", "ISO-8859-1")
    made.commit("root", {"a": "a"})
    (made.path / "message").write_bytes("gr\xfc\xdfe".encode("latin-1"))
    made.run("commit", "--quiet", "--allow-empty", "-F", "message")
    assert GitRepository(made.path).commit("HEAD").message == "grüße\n"


def test_no_such_commit_is_said_with_name_and_place(one_commit: Made) -> None:
    with pytest.raises(GitError, match=r"git rev-parse ended with status 1: no commit 'gone' in"):
        GitRepository(one_commit.path).commit("gone")


def test_replaced_objects_are_not_taken_for_real(made: Made) -> None:
    root = made.commit("root", {"a": "a\n"})
    sha = made.commit("second", {"a": "b\n"})
    other = made.commit("third", {"a": "c\n"})
    made.run("replace", sha, other)
    assert GitRepository(made.path).commit(sha).parents == (root,)


@pytest.mark.parametrize("revision", ["--help", "-x", "HEAD --", "a\nb", "", "HEAD:a", ":/x"])
def test_odd_revisions_are_names_of_no_commit(one_commit: Made, revision: str) -> None:
    with pytest.raises(GitError):
        GitRepository(one_commit.path).commit(revision)


# --- diffs ------------------------------------------------------------------------------------


def test_diff_of_a_root_commit_is_against_the_empty_tree(made: Made) -> None:
    root = made.commit("root", {"a.py": "a\n", "s/b.py": "b\n"})
    assert added(GitRepository(made.path).diff(EMPTY_TREE, root)) == {
        "a.py": ["a"],
        "s/b.py": ["b"],
    }


def test_diff_finds_renames_and_quotes_names(made: Made) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    base = made.commit("root", {"old.py": text})
    head = made.commit("second", {"old.py": None, "neu ü.py": text + "more\n"})
    diff = GitRepository(made.path).diff(base, head)
    (file,) = parse_diff(diff)
    assert (file.path, file.previous_path) == ("neu ü.py", "old.py")
    assert b'rename to "neu \\303\\274.py"' in diff


def test_diff_is_the_same_whatever_the_repository_is_set_to(made: Made, tmp_path: Path) -> None:
    base = made.commit("root", {"a.txt": "a\n", "old": "1\n2\n3\n4\n5\n"})
    head = made.commit("second", {"a.txt": "b\n", "old": None, "new": "1\n2\n3\n4\n5\n6\n"})
    expected = GitRepository(made.path).diff(base, head)
    trap = tmp_path / "trap"
    script = tmp_path / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch '{trap}'\n")
    script.chmod(0o755)
    settings = {
        "diff.external": str(script),
        "diff.trap.textconv": str(script),
        "diff.trap.command": str(script),
        "core.fsmonitor": str(script),
        "core.pager": str(script),
        "core.hooksPath": str(tmp_path),
        "core.attributesFile": str(made.path / "everywhere"),
        "color.ui": "always",
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.renames": "false",
        "diff.context": "0",
        "diff.interHunkContext": "9",
        "diff.algorithm": "patience",
        "diff.suppressBlankEmpty": "true",
        "diff.orderFile": str(script),
        "core.quotePath": "false",
    }
    with (made.path / ".git" / "config").open("a") as file:
        for name, value in settings.items():
            section, _, key = name.rpartition(".")
            quoted = section.replace(".trap", ' "trap"')
            file.write(f"[{quoted}]\n{key} = {value}\n")
    assert made.run("config", "diff.trap.textconv") == str(script)
    (made.path / "everywhere").write_text("* -diff\n")
    (made.path / ".gitattributes").write_text("*.txt diff=trap\nnew -diff\n")
    assert GitRepository(made.path).diff(base, head) == expected
    assert not trap.exists()


TRAPS = """
[core]
sshCommand = {trap}
gitProxy = {trap}
alternateRefsCommand = {trap}
fsmonitor = {trap}
editor = {trap}
askPass = {trap}
hooksPath = {folder}
worktree = {worktree}
[credential]
helper = {trap}
[filter "trap"]
clean = {trap}
smudge = {trap}
process = {trap}
required = true
[diff "trap"]
command = {trap}
textconv = {trap}
[gpg]
program = {trap}
[log]
showSignature = true
[alias]
log = !{trap}
rev-list = !{trap}
cat-file = !{trap}
[protocol "ext"]
allow = always
[protocol "file"]
allow = always
[extensions]
partialClone = origin
[remote "origin"]
url = ext::{trap}
promisor = true
uploadpack = {trap}
vcs = trap
[submodule "part"]
url = ext::{trap}
active = true
update = !{trap}
[submodule]
recurse = true
[fetch]
recurseSubmodules = true
[status]
submoduleSummary = true
[uploadpack]
packObjectsHook = {trap}
[maintenance]
auto = true
"""
"""Every setting of a clone that names a program, as whoever made the clone may have set it."""


def test_nothing_that_a_clone_names_is_run_or_fetched(made: Made, tmp_path: Path) -> None:
    trap, script = tmp_path / "was run", tmp_path / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch '{trap}'\n")
    script.chmod(0o755)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 9\n"
    base = made.commit("root", {"a.py": "a\n", "big.bin": pointer, ".gitattributes": ""})
    made.run("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},part")
    files: dict[str, str | None] = {
        ".gitattributes": "* filter=trap diff=trap\n*.bin filter=lfs -text\n",
        ".gitmodules": f'[submodule "part"]\npath = part\nurl = ext::{script}\n',
        "a.py": "b\n",
    }
    (made.path / "part").mkdir()
    for name, text in files.items():
        (made.path / name).write_text(str(text))
    made.run("update-index", "--add", *files)
    made.run("commit", "--quiet", "-m", "second")
    head = made.run("rev-parse", "HEAD")
    lacking = made.run("rev-parse", "HEAD:a.py")
    (made.path / ".git" / "objects" / lacking[:2] / lacking[2:]).unlink()
    hooks = [
        made.path / ".git" / "hooks" / name for name in ("post-checkout", "fsmonitor-watchman")
    ]
    for hook in (*hooks, tmp_path / "reference-transaction", tmp_path / "post-index-change"):
        hook.parent.mkdir(exist_ok=True)
        shutil.copy(script, hook)
    with (made.path / ".git" / "config").open("a") as file:
        file.write(TRAPS.format(trap=script, folder=tmp_path, worktree=made.path))

    # Git alone fetches what is missing, and so runs the trap.
    subprocess.run(["git", "cat-file", "-p", lacking], cwd=made.path, env=ENVIRONMENT, check=False)
    assert trap.exists()
    trap.unlink()
    git = GitRepository(made.path)
    asks = {
        "commit": lambda: git.commit(head),
        "commits": lambda: git.commits([base, head]),
        "resolve": lambda: git.resolve("HEAD"),
        "diff": lambda: git.diff(base, head),
        "merge_base": lambda: git.merge_base(base, head),
        "read_file": lambda: git.read_file(head, "a.py"),
        "read_pointer": lambda: git.read_file(head, "big.bin"),
        "gitattributes": lambda: git.gitattributes(head),
        "top_level": git.top_level,
        "checkouts": git.checkouts,
        "oldest": lambda: git.oldest(head),
        "shallow": lambda: git.shallow,
        "is_partial": lambda: git.is_partial,
        "worktrees": git.worktrees,
        "ignored": lambda: git.ignored(["a.py", "x.env"]),
        "entries": lambda: git.entries(head, "part", "a.py"),
        "objects": lambda: git.objects([f"{head}:a.py"]),
        "size": lambda: git.size([f"{head}:a.py"]),
        "missing": lambda: git.missing(base, head),
    }
    public = {name for name in vars(GitRepository) if not name.startswith("_")}
    assert public - {"run", "lines"} <= set(asks)
    read = set()
    for name, ask in asks.items():
        with contextlib.suppress(GitError):
            ask()
            read.add(name)
        assert not trap.exists(), name
    # What git lacks is an error; all else was really read.
    assert read >= {"commit", "commits", "merge_base", "read_pointer", "gitattributes", "entries"}
    assert git.read_file(head, "big.bin") == pointer.encode()


def test_diff_of_unknown_commits_is_an_error(one_commit: Made) -> None:
    with pytest.raises(GitError, match="bad revision 'gone'"):
        GitRepository(one_commit.path).diff("gone", "HEAD")


@pytest.mark.parametrize("option", ["--output=evil", "-O/dev/null", "--no-index"])
def test_options_are_no_commits(one_commit: Made, option: str) -> None:
    with pytest.raises(GitError):
        GitRepository(one_commit.path).diff(option, "HEAD")
    assert not (one_commit.path / "evil").exists()


# --- files ------------------------------------------------------------------------------------


def test_files_are_read_at_a_commit(made: Made) -> None:
    made.commit("root", {"a ü*.py": "old\n", "s/b": "b"})
    sha = made.run("rev-parse", "HEAD")
    made.commit("second", {"a ü*.py": "new\n"})
    git = GitRepository(made.path)
    assert git.read_file(sha, "a ü*.py") == b"old\n"
    assert [git.read_file(sha, path) for path in ("s", "gone", "a*")] == [None] * 3


def test_gitattributes_of_all_folders_but_no_links(made: Made) -> None:
    (made.path / "linked").mkdir()
    (made.path / "linked" / ".gitattributes").symlink_to("../.gitattributes")
    files: dict[str, str | None] = {".gitattributes": "*.a x\n", "s/t/.gitattributes": "", "b": ""}
    sha = made.commit("root", files)
    git = GitRepository(made.path)
    assert git.gitattributes(sha) == {".gitattributes": "*.a x\n", "s/t/.gitattributes": ""}
    assert git.gitattributes(EMPTY_TREE) == {}


# --- kinds of repositories --------------------------------------------------------------------


def test_checkout_folder_worktree_and_bare(made: Made, tmp_path: Path) -> None:
    made.commit("root", {"s/a": "a"})
    tree, bare = tmp_path / "tree one", tmp_path / "bare.git"
    made.run("worktree", "add", "--quiet", "--detach", str(tree))
    made.run("clone", "--quiet", "--bare", str(made.path), str(bare))
    assert [
        GitRepository(path).top_level() for path in (made.path, made.path / "s", tree, bare)
    ] == [
        made.path,
        made.path,
        tree,
        None,
    ]
    assert (
        GitRepository(made.path / "s").worktrees()
        == GitRepository(tree).worktrees()
        == (str(made.path), str(tree))
    )
    assert GitRepository(bare).worktrees() == ()
    shas = {GitRepository(path).commit("HEAD").sha for path in (made.path / "s", tree, bare)}
    assert len(shas) == 1


def test_shallow_clone_says_so(made: Made, tmp_path: Path) -> None:
    root = made.commit("root", {"a": "a"})
    head = made.commit("second", {"a": "b"})
    made.run("clone", "--quiet", "--depth=1", f"file://{made.path}", str(tmp_path / "shallow"))
    git = GitRepository(tmp_path / "shallow")
    assert git.commit("HEAD").parents == (root,)
    for ask in (lambda: git.diff(root, head), lambda: git.commit("HEAD~1")):
        with pytest.raises(GitError, match="the clone is shallow: git fetch --unshallow"):
            ask()


def test_partial_clone_names_the_files_it_lacks(made: Made, tmp_path: Path) -> None:
    base = made.commit("root", {"a.py": "a\n", "b.py": "b\n", "c.py": "c\n"})
    head = made.commit("second", {"a.py": "x\n", "b.py": "y\n"})
    made.run("config", "uploadpack.allowFilter", "true")
    clone = ("clone", "--quiet", "--bare", "--filter=blob:none", f"file://{made.path}")
    made.run(*clone, str(tmp_path / "partial"))
    git = GitRepository(tmp_path / "partial")
    with pytest.raises(GitError, match=r"this clone lacks the content of 'a\.py', 'b\.py';"):
        git.diff(base, head)
    with pytest.raises(GitError):
        git.read_file(head, "a.py")


def test_no_repository_at_all(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        GitRepository(tmp_path).commit("HEAD")
    with pytest.raises(GitError, match="cannot change to"):
        GitRepository(tmp_path / "gone").top_level()


# --- fetching ---------------------------------------------------------------------------------


class Served:
    """A git server on this machine that wants a credential and remembers what it was sent."""

    def __init__(self, root: Path, token: str) -> None:
        self.root = root
        self.credential = "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
        self.requests: list[tuple[str, str | None]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,)).start()

    def close(self) -> None:
        """Leave no thread and no port behind."""
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.answer(self)

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_: object) -> None:
                return

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Redirect, refuse, or let git answer."""
        credential = request.headers.get("Authorization")
        self.requests.append((request.path, credential))
        if request.path.startswith("/moved"):
            request.send_response(301)
            request.send_header("Location", self.url + request.path.removeprefix("/moved"))
            request.end_headers()
        elif credential != self.credential:
            request.send_error(401)
        else:
            self._ask_git(request)

    def _ask_git(self, request: BaseHTTPRequestHandler) -> None:
        """Do what a web server's CGI does for git's own backend."""
        path, _, query = request.path.partition("?")
        answer = subprocess.run(
            ["git", "http-backend"],
            input=request.rfile.read(int(request.headers.get("Content-Length", 0))),
            env={
                **ENVIRONMENT,
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": request.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "somebody",
            },
            capture_output=True,
            check=True,
        ).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value for key, value in headers if key == "Status"), "200")
        request.send_response(int(status.split()[0]))
        for key, value in headers:
            request.send_header(key, value)
        request.end_headers()
        request.wfile.write(body)


class Change:
    """A repository with two commits, as GitHub serves it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        made = Made(root / "acme" / "app")
        files: dict[str, str | None] = {f"same/{number}.txt": f"{number}\n" for number in range(50)}
        base = {"a.py": "a = 1\n", "twin of a.py": "a = 1\n", "old.py": "1\n2\n3\n4\n"}
        self.base = made.commit("base", {**files, **base})
        changed: dict[str, str | None] = {
            "a.py": "a = 2\n",
            "new.py": "1\n2\n3\n4\n5\n",
            "old.py": None,
        }
        self.head = made.commit("head", changed)
        self.shas = (self.base, self.head)
        made.run("config", "uploadpack.allowFilter", "true")
        made.run("config", "uploadpack.allowAnySHA1InWant", "true")
        (made.path / ".git").rename(root / "acme" / "app.git")
        shutil.rmtree(made.path)


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> Change:
    """Return a repository for all tests, which only fetch from it."""
    return Change(tmp_path_factory.mktemp("served"))


@pytest.fixture
def served(change: Change) -> Iterator[Served]:
    server = Served(change.root, TOKEN)
    yield server
    server.close()


def test_fetch_brings_what_differs_and_nothing_else(
    served: Served, change: Change, tmp_path: Path
) -> None:
    git = fetch_commits(tmp_path / "cache" / "7", f"{served.url}/acme/app.git", change.shas, TOKEN)
    asked = len(served.requests)
    assert added(git.diff(*change.shas)) == {"a.py": ["a = 2"], "new.py": ["5"]}
    with pytest.raises(GitError):
        git.read_file(change.head, "same/7.txt")
    assert len(served.requests) == asked
    assert git.top_level() is None


def kinds(repository: Path) -> set[str]:
    listed = subprocess.run(
        ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch-check"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split()[1] for line in listed.stdout.splitlines()}


def test_the_contents_of_files_are_gone_with_their_reader(
    served: Served, change: Change, tmp_path: Path
) -> None:
    path = tmp_path / "cache" / "7"
    git = fetch_commits(path, f"{served.url}/acme/app.git", change.shas, TOKEN)
    assert added(git.diff(*change.shas))
    assert list((path / "passing").iterdir())
    assert kinds(path) == {"commit", "tree"}
    del git
    assert list((path / "passing").iterdir()) == []


def test_what_a_dead_process_read_is_removed(
    served: Served, change: Change, tmp_path: Path
) -> None:
    url, path = f"{served.url}/acme/app.git", tmp_path / "cache" / "7"
    held = fetch_commits(path, url, change.shas, TOKEN)
    (mine,) = (path / "passing").iterdir()
    left = path / "passing" / "left"
    left.mkdir()
    (left / "reading").touch()
    (left / "pack").mkdir()
    fetch_commits(path, url, change.shas, TOKEN)
    assert list((path / "passing").iterdir()) == [mine]
    assert held.diff(*change.shas)


def test_a_repository_into_which_nothing_is_fetched_is_removed(
    served: Served, change: Change, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    for number in ("7", "8"):
        fetch_commits(cache / number, f"{served.url}/acme/app.git", change.shas, TOKEN)
    then = datetime.now(UTC) - timedelta(days=31)
    os.utime(cache / "7" / "fetching", (then.timestamp(), then.timestamp()))
    assert remove_unused(cache, then + timedelta(days=1)) == 1
    assert [one.name for one in cache.iterdir()] == ["8"]
    assert remove_unused(tmp_path / "nowhere", then) == 0


def test_what_is_fetched_is_for_its_owner_only(
    served: Served, change: Change, tmp_path: Path
) -> None:
    before = os.umask(0o022)
    try:
        fetch_commits(tmp_path / "cache" / "7", f"{served.url}/acme/app.git", change.shas, TOKEN)
    finally:
        os.umask(before)
    found = [*(tmp_path / "cache").rglob("*"), tmp_path / "cache"]
    assert [one for one in found if one.stat().st_mode & 0o077] == []


def test_fetch_again_changes_nothing(served: Served, change: Change, tmp_path: Path) -> None:
    url = f"{served.url}/acme/app.git"
    first = fetch_commits(tmp_path / "7", url, change.shas, TOKEN).diff(*change.shas)
    assert fetch_commits(tmp_path / "7", url, change.shas, TOKEN).diff(*change.shas) == first


def test_credential_is_in_the_request_and_nowhere_else(
    served: Served, change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = tmp_path / "arguments"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\necho "$@" >> "{arguments}"\nexec "{shutil.which("git")}" "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    fetch_commits(tmp_path / "7", f"{served.url}/acme/app.git", change.shas, TOKEN)
    assert {credential for _, credential in served.requests} == {served.credential}
    secrets = (TOKEN.encode(), served.credential.removeprefix("Basic ").encode())
    written = [path.read_bytes() for path in (tmp_path / "7").rglob("*") if path.is_file()]
    assert len(written) > 3
    assert "fetch" in arguments.read_text()
    for content in (*written, arguments.read_bytes()):
        assert not any(secret in content for secret in secrets)


def test_wrong_credential_is_an_error_that_does_not_tell_it(
    served: Served, change: Change, tmp_path: Path
) -> None:
    with pytest.raises(GitError) as caught:
        fetch_commits(tmp_path / "7", f"{served.url}/acme/app.git", change.shas, "ghs_wrong")
    assert caught.value.command == "fetch"
    assert caught.value.status == 128
    assert "ghs_wrong" not in str(caught.value)


def test_unknown_commit_is_an_error(served: Served, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="git fetch"):
        fetch_commits(tmp_path / "7", f"{served.url}/acme/app.git", ("1" * 40,), TOKEN)


def test_redirects_are_not_followed(served: Served, change: Change, tmp_path: Path) -> None:
    with pytest.raises(GitError):
        fetch_commits(tmp_path / "7", f"{served.url}/moved/acme/app.git", change.shas, TOKEN)
    assert all(path.startswith("/moved") for path, _ in served.requests)


def test_pack_that_is_too_large_is_not_written(
    served: Served, change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ghapp.git.repository.LARGEST_PACK", 512)
    with pytest.raises(GitError):
        fetch_commits(tmp_path / "7", f"{served.url}/acme/app.git", change.shas, TOKEN)


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example/a.git",
        "https://user:secret@git.example/a.git",
        "file:///etc",
        "ssh://git.example/a.git",
        "git.example:a.git",
        "--upload-pack=touch evil",
        "https:///a.git",
        "http://127.0.0.1.git.example/a.git",
    ],
)
def test_other_addresses_are_refused_before_git_is_started(url: str, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not an https address"):
        fetch_commits(tmp_path / "7", url, ("1" * 40,), TOKEN)
    assert not (tmp_path / "7").exists()


@pytest.mark.parametrize("sha", ["main", "--all", "1" * 39, "1" * 41, ""])
def test_only_full_object_names_are_fetched(sha: str, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a full object name"):
        fetch_commits(tmp_path / "7", "https://git.example/a.git", (sha,), TOKEN)


def test_what_a_checkout_ignores(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "clone")
    clone.commit({".gitignore": "*.env\nlocal/\n"})
    (clone.path / "kept.env").write_text("")
    clone.git("add", "-f", "kept.env")
    asked = ["a.env", "kept.env", "src/a.py", "local/x", "new\nline.env", ":(top)b.env", "[a].env"]
    found = GitRepository(clone.path).ignored(asked)
    assert found == {"a.env", "local/x", "new\nline.env", ":(top)b.env", "[a].env"}
    assert GitRepository(clone.path).ignored(["src/a.py"]) == frozenset()


def written(clone: Clone, raw: bytes) -> str:
    """Store a commit object as its writer made it, whatever git would say of it."""
    command = [
        "git",
        "-C",
        str(clone.path),
        "hash-object",
        "-t",
        "commit",
        "-w",
        "--stdin",
        "--literally",
    ]
    done = subprocess.run(command, input=raw, capture_output=True, check=True)
    return done.stdout.decode().strip()


WHO = "Ann <ann@acme.example>"


@pytest.mark.parametrize("encoding", ["punycode", "undefined", "idna", "zip", "no"])
def test_a_commit_names_no_codec_of_ours(tmp_path: Path, encoding: str) -> None:
    clone = Clone(tmp_path / "clone")
    tree = clone.git("write-tree").strip()
    who = "Ann <ann@acme.example> 1767225600 +0100"
    head = f"tree {tree}\nauthor {who}\ncommitter {who}\nencoding {encoding}\n\n"
    sha = written(clone, head.encode() + b"a-b\\u0041" + b"z" * 2_000)
    (found,) = GitRepository(clone.path).commits([sha])
    assert found.message.startswith("a-b\\u0041")


@pytest.mark.parametrize("seconds", ["99999999999999999999", "-99999999999999", "253402300800"])
def test_a_commit_out_of_the_calendar_has_no_time(tmp_path: Path, seconds: str) -> None:
    clone = Clone(tmp_path / "clone")
    tree = clone.git("write-tree").strip()
    who = f"{WHO} {seconds} +0100"
    sha = written(clone, f"tree {tree}\nauthor {who}\ncommitter {who}\n\nx".encode())
    (found,) = GitRepository(clone.path).commits([sha])
    assert (found.written_at, found.committed_at, found.author) == (None, None, WHO)
