"""Starts everything with a bare Python: makes the environment once, then runs `ghapp` in it.

It needs only the standard library, and holds nothing of the product. `python3 run.py demo`,
`serve` and any other `ghapp` command first install the hash lock if it changed.
`python3 run.py test`, `coverage` and `bench` install the development lock and run the tests, on
all cores, or a measurement; `tools` adds what a release and mutation runs need and is then that
Python. `python3 run.py lock` renews the locks. `GHAPP_VENV` names another folder for the
environment than `.venv`.
"""

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.exit(
        "Attribution Auditor needs Python 3.11 or newer; this is Python "
        + sys.version.split()[0]
        + ". Start it with a newer one, for example: python3.11 run.py "
        + " ".join(sys.argv[1:])
    )

HERE = Path(__file__).resolve().parent
RUN_LOCK = "requirements.txt"
TEST_LOCK = "requirements-dev.txt"
TOOLS_LOCK = "requirements-tools.txt"
LOCKS = (RUN_LOCK, TEST_LOCK, TOOLS_LOCK)
"""Each holds what the one before it holds, and more."""
LOCK_OF = {"test": TEST_LOCK, "coverage": TEST_LOCK, "bench": TEST_LOCK, "tools": TOOLS_LOCK}
STAMP = "ghapp-installed.json"
"""File that says which lock the environment holds. It is written last."""
UNFINISHED = "ghapp-unfinished"
"""File that exists while the environment is being made. A start that finds it begins again."""
INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT, as a shell reports it."""
EXTRAS = ("--extra", "server", "--extra", "embedded")


def main(arguments: list[str]) -> None:
    """Install what the command needs, then become it."""
    command = arguments[0] if arguments else ""
    if command == "lock":
        renew_locks()
        return
    directory = environment_directory()
    python = prepare(directory, LOCK_OF.get(command, RUN_LOCK))
    if command == "bench":
        become([python, "-m", "bench", *arguments[1:]])
    if command == "tools":
        become([python, *arguments[1:]])
    if command in ("test", "coverage"):
        os.chdir(HERE)
        module = ["pytest"] if command == "test" else ["bench", "coverage"]
        given = [*at_once(arguments[1:]), *arguments[1:]]
        compiled = {"PYTHONPYCACHEPREFIX": str(directory / "bytecode")}
        become([python, "-m", *module, *cache_option(directory), *given], compiled)
    # -P: never import a folder named ghapp from the current directory.
    become([python, "-P", "-m", "ghapp", *arguments])


def at_once(given: list[str]) -> list[str]:
    """Return how many test processes run at once, unless the command line says so itself.

    Half as many again as there are cores, because a part of the tests waits for other programs.
    """
    if any(one.startswith(("-n", "--numprocesses", "--pdb", "-s")) for one in given):
        return []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ["-n", str(max(2, (cores or 1) * 3 // 2)), "--dist", "worksteal"]


def environment_directory() -> Path:
    """Return the folder of the environment: `GHAPP_VENV`, `.venv`, or a private folder.

    The last is for a checkout that cannot be written to. Its name depends on the checkout's
    path, so that two checkouts do not share it.
    """
    named = os.environ.get("GHAPP_VENV")
    if named:
        return Path(named).resolve()
    if (HERE / ".venv" / STAMP).exists() or os.access(HERE, os.W_OK):
        return HERE / ".venv"
    name = "venv-" + hashlib.sha256(str(HERE).encode()).hexdigest()[:12]
    return private_directory() / name


def private_directory() -> Path:
    """Return a writable folder of this user alone, in the cache or temporary directory.

    Exits if someone else made a folder of that name: we run programs from it.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ghapp"
    with contextlib.suppress(OSError):
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(cache, os.W_OK):
            return cache
    shared = Path(tempfile.gettempdir()) / f"ghapp-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        shared.mkdir(mode=0o700)
    state = shared.lstat()
    if shared.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o077:
        sys.exit(f"{shared} belongs to someone else; set GHAPP_VENV to a folder of your own")
    return shared


def prepare(directory: Path, lock: str) -> str:
    """Install the lock into the environment if needed; return its interpreter."""
    python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = wanted_stamp(lock)
    if satisfied(directory, lock, wanted):
        return str(python)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with held(directory.with_name(directory.name + ".lock")):
        if not satisfied(directory, lock, wanted):
            build(directory, python, lock, wanted)
    return str(python)


def wanted_stamp(lock: str) -> dict[str, str]:
    """Return what the stamp says once this lock is installed for this checkout."""
    path = HERE / lock
    if not path.exists():
        sys.exit(
            f"{path} is missing: the checkout is incomplete, or `python3 run.py lock` never ran"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"lock": digest, "checkout": str(HERE), "python": sys.version.split()[0]}


def satisfied(directory: Path, lock: str, wanted: dict[str, str]) -> bool:
    """Return whether the environment holds the lock, or a later one, which includes it."""
    if (directory / UNFINISHED).exists():
        return False
    try:
        stamps = json.loads((directory / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if stamps.get(lock) == wanted:
        return True
    later = LOCKS[LOCKS.index(lock) + 1 :]
    return any(one in stamps and stamps[one] == wanted_stamp(one) for one in later)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file lock while the environment is made; even a kill releases it."""
    try:
        import fcntl  # noqa: PLC0415 - missing on Windows, where only one start at a time is safe
    except ImportError:
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(directory: Path, python: Path, lock: str, wanted: dict[str, str]) -> None:
    """Make or renew the environment; remove first what a broken attempt left."""
    if (directory / UNFINISHED).exists() or (directory.exists() and not works(python)):
        shutil.rmtree(directory)
    print(f"Installing {lock} into {directory} (once) ...", file=sys.stderr, flush=True)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / UNFINISHED).touch()
    if not works(python):
        # Without pip: this also works where a distribution leaves out ensurepip.
        run([sys.executable, "-m", "venv", "--without-pip", str(directory)])
    install(directory, python, lock)
    add_project(directory, python)
    write_stamp(directory, lock, wanted)
    (directory / UNFINISHED).unlink()


def works(python: Path) -> bool:
    """Return whether an interpreter exists, starts, and has our version."""
    check = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
    return python.exists() and succeeds([str(python), "-c", check])


def install(directory: Path, python: Path, lock: str) -> None:
    """Install the packages of the lock, checked by hash, with uv or else with pip."""
    options = ["install", "--quiet", "--require-hashes", "-r", str(HERE / lock)]
    uv = shutil.which("uv")
    if uv:
        problem = complaint([uv, "pip", *options, "--python", str(python)])
        if problem is None:
            return
        print(
            f"uv: {problem}\nuv could not install it; trying pip ...", file=sys.stderr, flush=True
        )
    run([*pip(python), "--disable-pip-version-check", "--no-input", *options], unfinished=directory)


def pip(python: Path) -> list[str]:
    """Return a pip that installs into the environment: its own, this Python's, or a new one.

    A new one is the last choice, because unpacking it takes seconds.
    """
    own, outer = [str(python), "-m", "pip"], [sys.executable, "-m", "pip", "--python", str(python)]
    for command in (own, outer):
        if succeeds([*command, "--version"]):
            return command
    if succeeds([str(python), "-m", "ensurepip"]):
        return own
    return sys.exit(
        "Neither uv nor pip is installed. Install one of them (on Debian and Ubuntu the package "
        "python3-venv or python3-pip) and start this again."
    )


def add_project(directory: Path, python: Path) -> None:
    """Add this checkout to the environment's path, and `ghapp` beside the interpreter.

    It builds nothing: a build would download the build tool, and the checkout stays editable.
    """
    base = {"base": str(directory), "platbase": str(directory)}
    packages = Path(sysconfig.get_path("purelib", "venv", base))
    (packages / "ghapp-checkout.pth").write_text(f"{HERE}\n", encoding="utf-8")
    command = python.with_name("ghapp")
    # Start Python from sh, because a shebang line cannot hold a path with a space.
    command.write_text(
        f'#!/bin/sh\nexec {shlex.quote(str(python))} -P -m ghapp "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)


def write_stamp(directory: Path, lock: str, wanted: dict[str, str]) -> None:
    """Record in one step that the lock is installed, after everything else is in place.

    This removes the stamp of the other lock, because this install may have changed its packages.
    """
    written = directory / (STAMP + ".new")
    written.write_text(json.dumps({lock: wanted}), encoding="utf-8")
    written.replace(directory / STAMP)


def cache_option(directory: Path) -> list[str]:
    """Return pytest's option for its cache if the checkout cannot be written to."""
    if os.access(HERE, os.W_OK):
        return []
    return ["-o", f"cache_dir={directory / 'pytest-cache'}"]


def renew_locks() -> None:
    """Resolve pyproject.toml into the locks, with hashes and without addresses."""
    uv = shutil.which("uv") or sys.exit("renewing the locks needs uv on PATH")
    compile_ = [uv, "pip", "compile", "pyproject.toml", *EXTRAS, "--universal"]
    compile_ += ["--python-version", "3.11", "--generate-hashes", "--no-annotate", "--quiet"]
    compile_ += ["--no-emit-index-url", "--custom-compile-command", "python3 run.py lock"]
    os.chdir(HERE)
    run([*compile_, *sys.argv[2:], "-o", RUN_LOCK])
    # The same versions in all of them, so that we test what runs.
    run([*compile_, *sys.argv[2:], "--group", "dev", "-c", RUN_LOCK, "-o", TEST_LOCK])
    tools = ["--group", "dev", "--group", "tools", "-c", TEST_LOCK, "-o", TOOLS_LOCK]
    run([*compile_, *sys.argv[2:], *tools])


def run(command: list[str], *, unfinished: Path | None = None) -> None:
    """Run a command; if it fails, exit with its status and say what to do."""
    done = subprocess.run(command, check=False, env=plain_environment())  # noqa: S603 - ours, no shell
    if done.returncode:
        rest = f" The next start makes {unfinished} again." if unfinished else ""
        sys.exit(f"`{' '.join(command)}` failed with status {done.returncode}.{rest}")


def succeeds(command: list[str]) -> bool:
    """Return whether a command succeeds; its output is not shown."""
    return complaint(command) is None


def complaint(command: list[str]) -> str | None:
    """Run a command quietly; return the last line of its error, ``None`` if it succeeds."""
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        command, check=False, env=plain_environment(), capture_output=True, errors="replace"
    )
    if done.returncode == 0:
        return None
    return next(iter(done.stderr.strip().splitlines()[-1:]), f"status {done.returncode}").strip()


def plain_environment() -> dict[str, str]:
    """Return the environment without variables that would add another Python's packages."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}
    }


def become(command: list[str], more: dict[str, str] | None = None) -> None:
    """Replace this process, so that signals and the exit status are the command's own.

    Where ``more`` names a place for bytecode, it is written there, whatever the caller's
    environment says: hundreds of test processes would compile every module again.
    """
    environment = {**plain_environment(), **(more or {})}
    if "PYTHONPYCACHEPREFIX" in environment:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if os.name == "nt":
        sys.exit(subprocess.call(command, env=environment))  # noqa: S603 - ours, no shell
    os.execve(command[0], command, environment)  # noqa: S606 - our own interpreter, no shell


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        print("stopped; the next start continues from here", file=sys.stderr)
        sys.exit(INTERRUPTED)
