"""Serves the stand-in's repositories over smart HTTP, for fetches only.

https://git-scm.com/docs/http-protocol
"""

import base64
import binascii
import gzip
import subprocess
from dataclasses import dataclass, replace

from ghapp.demo.sandbox.call import ErrorAnswer
from ghapp.demo.sandbox.dispatch import WireAnswer, WireRequest, record
from ghapp.demo.sandbox.faults import Fault, FaultKind, FaultPlan
from ghapp.demo.sandbox.state import HubRepository, World
from ghapp.demo.sandbox.tokens import TokenGuard

SERVICE = "git-upload-pack"
CONFIGURATION = (
    ("uploadpack.allowAnySHA1InWant", "true"),
    ("uploadpack.allowFilter", "true"),
    ("safe.directory", "*"),
)
PACK_SECONDS = 300
FAULTS = {
    FaultKind.BAD_GATEWAY_BEFORE: 502,
    FaultKind.BAD_GATEWAY_AFTER: 502,
    FaultKind.SERVER_ERROR: 502,
    FaultKind.NOT_FOUND: 404,
    FaultKind.TOKEN_EXPIRED: 401,
}
ASK = {"WWW-Authenticate": 'Basic realm="sandbox"'}


@dataclass(frozen=True)
class GitRequest:
    """A git client's request: the repository, and one of the two steps."""

    owner: str
    name: str
    step: str
    """``info/refs`` or ``git-upload-pack``."""

    @classmethod
    def from_path(cls, path: str) -> "GitRequest | None":
        """Read ``/owner/name.git/step``; ``None``: the path is not git's."""
        parts = path.strip("/").split("/", 2)
        if len(parts) != 3 or not parts[1].endswith(".git"):
            return None
        return cls(parts[0], parts[1].removesuffix(".git"), parts[2])

    @property
    def template(self) -> str:
        """Return the route's name in faults and records."""
        return f"/{{owner}}/{{repo}}.git/{self.step}"


class GitDoor:
    """Serves fetches. Like GitHub, it allows filters and requests for any SHA."""

    def __init__(self, world: World, guard: TokenGuard, plan: FaultPlan) -> None:
        self._world = world
        self._guard = guard
        self._plan = plan

    def answer(self, request: WireRequest, git: GitRequest) -> WireAnswer:
        """Answer a git client's request and record it without the pack."""
        fault = self._plan.for_request(request.method, git.template)
        if fault and fault.kind is FaultKind.SLOW:
            self._plan.sleep(fault.seconds)
        try:
            _strike(fault)
            with self._world.lock:
                repository = self._admitted(request, git)
            sent = _serve(request, git, repository)
        except ErrorAnswer as refused:
            sent = WireAnswer(refused.status, dict(refused.headers), refused.message.encode())
        names = {"owner": git.owner, "repo": git.name}
        with self._world.lock:
            record(
                self._world,
                request,
                replace(sent, body=b""),
                "git",
                template=git.template,
                params=names,
                fault=fault,
            )
        return sent

    def _admitted(self, request: WireRequest, git: GitRequest) -> HubRepository:
        repository = self._world.repository_named(f"{git.owner}/{git.name}")
        repository = repository or self._world.repository_formerly(f"{git.owner}/{git.name}")
        value = _password(request.headers.get("Authorization", ""))
        if value is None:
            if repository and not repository.private:
                return repository
            raise ErrorAnswer(401, "Authentication required", headers=ASK)
        token = self._guard.living_token(value)
        if repository is None or not self._guard.reaches(token, repository):
            raise ErrorAnswer(404, "Repository not found.")
        if not self._guard.holds(token, "contents", "read"):
            raise ErrorAnswer(403, "Resource not accessible by integration")
        return repository


def _strike(fault: Fault | None) -> None:
    """Refuse as a fault demands; kinds of fault that git does not have do nothing."""
    status = FAULTS.get(fault.kind) if fault else None
    if status is not None:
        raise ErrorAnswer(status, "Server Error" if status == 502 else "Not available")


def _password(authorization: str) -> str | None:
    """Return the token from a Basic header of ``x-access-token``; ``None``: no header."""
    kind, _, value = authorization.partition(" ")
    if not value:
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as broken:
        raise ErrorAnswer(401, "Bad credentials", headers=ASK) from broken
    if kind.lower() != "basic" or user != "x-access-token":
        raise ErrorAnswer(401, "Bad credentials", headers=ASK)
    return password


def _serve(request: WireRequest, git: GitRequest, repository: HubRepository) -> WireAnswer:
    if (request.method, git.step) == ("GET", "info/refs"):
        if request.query != f"service={SERVICE}":
            raise ErrorAnswer(403, "the stand-in only serves fetches")
        return _advertised(request, repository)
    if (request.method, git.step) == ("POST", SERVICE):
        body = request.body
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        said = _upload_pack(request, repository, ("--stateless-rpc",), body)
        return WireAnswer(200, {"Content-Type": f"application/x-{SERVICE}-result"}, said)
    raise ErrorAnswer(403, "the stand-in only serves fetches")


def _advertised(request: WireRequest, repository: HubRepository) -> WireAnswer:
    said = _upload_pack(request, repository, ("--stateless-rpc", "--advertise-refs"), b"")
    if "version=2" not in request.headers.get("Git-Protocol", ""):
        line = f"# service={SERVICE}\n".encode()
        said = b"%04x%s0000" % (len(line) + 4, line) + said
    headers = {"Content-Type": f"application/x-{SERVICE}-advertisement"}
    return WireAnswer(200, {**headers, "Cache-Control": "no-cache"}, said)


def _upload_pack(
    request: WireRequest, repository: HubRepository, options: tuple[str, ...], body: bytes
) -> bytes:
    environment = dict(repository.git.environment)
    environment["GIT_PROTOCOL"] = request.headers.get("Git-Protocol", "")
    environment["GIT_CONFIG_COUNT"] = str(len(CONFIGURATION))
    for number, (key, value) in enumerate(CONFIGURATION):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    done = subprocess.run(  # noqa: S603 - a fixed program, no shell
        ["git", "upload-pack", *options, str(repository.git.path)],  # noqa: S607 - on the PATH
        input=body,
        env=environment,
        capture_output=True,
        timeout=PACK_SECONDS,
        check=False,
    )
    return done.stdout
