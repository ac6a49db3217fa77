"""Answers and records one request of the API. It knows no web framework."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers

from ghapp.demo.sandbox import rates
from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, HubRoute
from ghapp.demo.sandbox.faults import WORLD, Fault, FaultKind, FaultPlan
from ghapp.demo.sandbox.rates import RateCounter, rate_headers
from ghapp.demo.sandbox.routes import ALL
from ghapp.demo.sandbox.routing import DOCUMENTATION, Router
from ghapp.demo.sandbox.state import Announcement, Exchange, HubDelivery, HubRepository, World
from ghapp.demo.sandbox.tokens import TokenGuard

API_VERSIONS = ("2022-11-28", "2026-03-10")
NO_AGENT = "Request forbidden by administrative rules. Please send a User-Agent header."
UNCOUNTED = frozenset({"/rate_limit"})


@dataclass(frozen=True)
class WireRequest:
    """A request as it arrived; ``path`` lacks the API's prefix and is not decoded.

    Names of ``headers`` ignore case.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class WireAnswer:
    """An answer as it is sent; ``cut_off``: close the connection instead."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut_off: bool = False
    announcements: tuple[Announcement, ...] = ()
    redeliveries: tuple[HubDelivery, ...] = ()


class HubDispatcher:
    """Answers requests one after another, as strictly as GitHub."""

    def __init__(self, world: World, guard: TokenGuard, plan: FaultPlan) -> None:
        self._world = world
        self._guard = guard
        self._plan = plan
        self._router = Router(ALL)
        self.rates = RateCounter(world)

    def answer(self, request: WireRequest) -> WireAnswer:
        """Answer a request and record it. A slow fault does not block other requests."""
        found = self._router.find(request.method, request.path)
        if found is None:
            return self._unknown(request)
        route, params = found
        fault = self._plan.for_request(route.method, route.template)
        if fault and fault.kind is FaultKind.SLOW:
            self._plan.sleep(fault.seconds)
        with self._world.lock:
            return self._answer(request, route, params, fault)

    def _unknown(self, request: WireRequest) -> WireAnswer:
        with self._world.lock:
            where = f"{request.method} {request.path}"
            self._world.violate(where, "the stand-in has no such route")
            answer = _refusal(ErrorAnswer(404, "Not Found"))
            sent = self._outgoing(request, answer, "unknown")
            record(self._world, request, sent, "unknown")
            return sent

    def _answer(
        self, request: WireRequest, route: HubRoute, params: dict[str, str], fault: Fault | None
    ) -> WireAnswer:
        call = HubCall(
            world=self._world,
            route=route,
            path=request.path,
            params=params,
            query=dict(parse_qsl(request.query, keep_blank_values=True)),
            headers=request.headers,
            body=request.body,
            tokens=self._guard,
            as_of=self._as_of(fault),
        )
        identity, wrote, answer = "unknown", False, HubAnswer()
        try:
            _check_manners(call)
            identity = self._guard.identify(call)
            self._play_before(call, fault, identity)
            self._count(call, identity)
            answer = self._handled(call)
            wrote = request.method != "GET"
        except ErrorAnswer as refused:
            answer = _refusal(refused)
        return self._finish(request, call, answer, fault, identity, wrote=wrote)

    def _as_of(self, fault: Fault | None) -> datetime | None:
        if fault is None or fault.kind is not FaultKind.STALE_READ:
            return None
        return self._world.now() - timedelta(seconds=fault.seconds)

    def _finish(  # noqa: PLR0913 - the last step needs everything
        self,
        request: WireRequest,
        call: HubCall,
        answer: HubAnswer,
        fault: Fault | None,
        identity: str,
        *,
        wrote: bool,
    ) -> WireAnswer:
        if fault and fault.kind is FaultKind.COUNTS_NOTHING:
            answer = _counting_nothing(answer)
        if fault and fault.kind is FaultKind.BAD_GATEWAY_AFTER:
            answer = _refusal(ErrorAnswer(502, "Server Error"))
        sent = self._outgoing(request, answer, identity, fault)
        if call.route.needs:
            accepted = call.route.accepted_permissions
            sent.headers.setdefault("X-Accepted-GitHub-Permissions", accepted)
        record(
            self._world,
            request,
            sent,
            identity,
            template=call.route.template,
            params=call.params,
            fault=fault,
            wrote=wrote,
        )
        cut_off = fault is not None and fault.kind in {
            FaultKind.CUT_OFF_BEFORE,
            FaultKind.CUT_OFF_AFTER,
        }
        return replace(
            sent,
            cut_off=cut_off,
            announcements=tuple(call.announcements),
            redeliveries=tuple(call.redeliveries),
        )

    # --- before the handler -------------------------------------------------------------------

    def _count(self, call: HubCall, identity: str) -> None:
        call.rate = self.rates.state(identity)
        if call.route.template not in UNCOUNTED:
            self.rates.count(identity)
        if call.route.method != "GET" and call.route.sender == "installation":
            self.rates.count_write(identity)

    def _handled(self, call: HubCall) -> HubAnswer:
        redirected = self._find_repository(call)
        if redirected is not None:
            return redirected
        self._guard.admit(call)
        for name in sorted(set(call.query) - call.route.query):
            self._world.violate(call.where, f"unknown query parameter {name!r}")
        return call.route.handler(call)

    def _find_repository(self, call: HubCall) -> HubAnswer | None:
        """Set the call's repository; return a redirect if the path has a former name."""
        if "repository_id" in call.params:
            number = call.number("repository_id")
            call.repository = _living(self._world.repositories.get(number))
        elif "owner" in call.params:
            name = f"{call.params['owner']}/{call.params['repo']}"
            call.repository = self._world.repository_named(name)
            former = call.repository is None and self._world.repository_formerly(name)
            if former:
                return self._moved(call, former)
        else:
            return None
        if call.repository is None:
            raise ErrorAnswer(404, "Not Found")
        return None

    def _moved(self, call: HubCall, repository: HubRepository) -> HubAnswer:
        rest = call.path.split("/", 4)[4:]
        url = f"{self._world.links.api}/repositories/{repository.id}" + "".join(
            f"/{part}" for part in rest
        )
        body = {"message": "Moved Permanently", "url": url, "documentation_url": DOCUMENTATION}
        status = 301 if call.route.method == "GET" else 307
        return HubAnswer(body, status=status, headers={"Location": url})

    # --- faults -------------------------------------------------------------------------------

    def _play_before(self, call: HubCall, fault: Fault | None, identity: str) -> None:
        if fault is None:
            return
        if fault.kind in WORLD:
            self._change_world(call, fault.kind)
        elif fault.kind is FaultKind.TOKEN_EXPIRED:
            if call.token:
                call.token.revoked = True
            raise ErrorAnswer(401, "Bad credentials")
        elif fault.kind in {FaultKind.BAD_GATEWAY_BEFORE, FaultKind.CUT_OFF_BEFORE}:
            raise ErrorAnswer(502, "Server Error")
        elif fault.kind is FaultKind.SERVER_ERROR:
            raise ErrorAnswer(fault.status, "Server Error")
        elif fault.kind is FaultKind.ANSWER:
            sign_on = {"X-GitHub-SSO": f"required; url={fault.sign_on}"} if fault.sign_on else {}
            raise ErrorAnswer(fault.status, fault.text, headers=sign_on)
        elif fault.kind is FaultKind.NOT_FOUND:
            raise ErrorAnswer(404, "Not Found")
        elif fault.kind in {FaultKind.PRIMARY_LIMIT, FaultKind.SECONDARY_LIMIT}:
            raise self._limited(fault, identity)

    def _limited(self, fault: Fault, identity: str) -> ErrorAnswer:
        retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if fault.kind is FaultKind.SECONDARY_LIMIT:
            return ErrorAnswer(fault.status, rates.SECONDARY, headers=retry)
        reset = int(self._world.clock().timestamp() + fault.seconds)
        nothing = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        message = rates.PRIMARY.format(identity.rpartition(":")[2])
        return ErrorAnswer(fault.status, message, headers={**nothing, **retry})

    def _change_world(self, call: HubCall, kind: FaultKind) -> None:
        if kind in {FaultKind.SUSPEND, FaultKind.UNINSTALL}:
            self._change_installation(call, kind)
            return
        self._find_repository(call)
        repository = call.repository
        if repository is None:
            return
        if kind is FaultKind.ARCHIVE:
            repository.archived = True
        elif kind is FaultKind.DELETE_REPOSITORY:
            repository.deleted = True
        elif kind is FaultKind.LOCK:
            for pull in repository.pulls.values():
                pull.locked = True
        elif kind is FaultKind.DELETE_FORKS:
            delete_forks(self._world, repository)

    def _change_installation(self, call: HubCall, kind: FaultKind) -> None:
        held = [call.token.installation] if call.token else []
        if call.app:
            own = (one for one in self._world.installations.values() if one.app is call.app)
            held = [one for one in own if str(one.id) == call.params.get("installation_id")]
        for installation in held:
            if kind is FaultKind.SUSPEND:
                installation.suspended_at = self._world.now()
            else:
                installation.deleted = True
        if call.token:
            self._guard.living_token(call.token.value)

    # --- after the handler ---------------------------------------------------------------------

    def _outgoing(
        self, request: WireRequest, answer: HubAnswer, identity: str, fault: Fault | None = None
    ) -> WireAnswer:
        body = answer.body if isinstance(answer.body, bytes) else _encoded(answer.body)
        version = request.headers.get("X-GitHub-Api-Version", API_VERSIONS[0])
        headers = {
            "Content-Type": answer.media_type,
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": version,
            "X-GitHub-Request-Id": f"SAND:{self._world.next_id('request'):08X}",
            **rate_headers(self.rates.state(identity)),
            **answer.headers,
        }
        if answer.status == 200 and request.method == "GET" and fault is None:
            tag = f'W/"{_digest(request.headers.get("Authorization", ""), body)}"'
            headers["ETag"] = tag
            if request.headers.get("If-None-Match") == tag:
                return WireAnswer(304, headers, b"")
        return WireAnswer(answer.status, headers, body)


def record(  # noqa: PLR0913 - a record has these parts
    world: World,
    request: WireRequest,
    sent: WireAnswer,
    identity: str,
    *,
    template: str | None = None,
    params: dict[str, str] | None = None,
    fault: Fault | None = None,
    wrote: bool = False,
) -> None:
    """Record a request with its answer. The caller holds the world's lock."""
    world.requests += 1
    world.record(
        Exchange(
            number=world.requests,
            at=world.clock(),
            method=request.method,
            path=request.path,
            query=request.query,
            template=template,
            params=dict(params or {}),
            request_headers={name.lower(): value for name, value in request.headers},
            request_body=request.body,
            status=sent.status,
            headers=dict(sent.headers),
            body=sent.body,
            identity=identity,
            wrote=wrote,
            fault=fault.kind.value if fault else None,
        )
    )


def delete_forks(world: World, repository: HubRepository) -> None:
    """Delete every fork of a repository and detach the pull requests from them."""
    for fork in world.repositories.values():
        if fork.fork_of is repository:
            fork.deleted = True
    for pull in repository.pulls.values():
        if pull.head_repository and pull.head_repository.deleted:
            pull.head_repository = None


def _counting_nothing(answer: HubAnswer) -> HubAnswer:
    """Return a pull request, or its list of files, as if it changed nothing."""
    if isinstance(answer.body, list):
        return replace(answer, body=[])
    counts = dict.fromkeys(("additions", "deletions", "changed_files"), 0)
    return replace(answer, body={**answer.body, **counts})


def _living(repository: HubRepository | None) -> HubRepository | None:
    return None if repository is None or repository.deleted else repository


def _check_manners(call: HubCall) -> None:
    if not call.headers.get("User-Agent"):
        raise ErrorAnswer(403, NO_AGENT)
    if call.api_version() not in API_VERSIONS:
        raise ErrorAnswer(400, f"API version {call.api_version()!r} is not supported.")


def _refusal(refused: ErrorAnswer) -> HubAnswer:
    if refused.message.startswith("<"):
        page = refused.message.encode()
        return HubAnswer(page, refused.status, refused.headers, "text/html; charset=utf-8")
    body = {"message": refused.message, "documentation_url": DOCUMENTATION}
    body["status"] = str(refused.status)
    shown = body if refused.errors is None else {**body, "errors": refused.errors}
    return HubAnswer(shown, status=refused.status, headers=refused.headers)


def _encoded(body: object) -> bytes:
    return b"" if body is None else json.dumps(body, separators=(",", ":")).encode()


def _digest(authorization: str, body: bytes) -> str:
    """Return an ETag that, like GitHub's, also depends on the token."""
    return hashlib.sha256(authorization.encode() + b"\0" + body).hexdigest()
