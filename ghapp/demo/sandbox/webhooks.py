"""Sends webhooks over HTTP: signs and records them, plays faults, redelivers.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import hashlib
import hmac
import http.client
import json
import queue
import threading
import time
import uuid
from dataclasses import replace
from urllib.parse import urlsplit

from ghapp.demo.sandbox.faults import FaultKind, FaultPlan
from ghapp.demo.sandbox.limits import DELIVERY_TIMEOUT_SECONDS, PAYLOAD_BYTES
from ghapp.demo.sandbox.manifest import is_local, supports
from ghapp.demo.sandbox.payloads import WebhookPayloads, still_open
from ghapp.demo.sandbox.state import Announcement, HubApp, HubDelivery, HubInstallation, Json, World

AUTOMATIC = {"installation", "installation_repositories", "installation_target"}
"""Events that every app receives without a subscription."""
WITH_CHECKS = {"check_run", "check_suite"}
"""Events that an app with ``checks: write`` receives."""


class WebhookSender:
    """Sends deliveries in the caller's thread or, queued and in order, in its own."""

    def __init__(self, world: World, plan: FaultPlan) -> None:
        self._world = world
        self._plan = plan
        self.payloads = WebhookPayloads(world)
        self._queue: queue.Queue[HubDelivery | None] = queue.Queue()
        self._held: list[HubDelivery] = []
        self._thread = threading.Thread(target=self._drain, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread once it has sent the queued deliveries."""
        self._queue.put(None)
        self._thread.join(timeout=DELIVERY_TIMEOUT_SECONDS)

    def settle(self) -> None:
        """Wait until all queued deliveries are sent."""
        self._queue.join()

    # --- composing ----------------------------------------------------------------------------

    def composed(self, told: Announcement) -> list[HubDelivery]:
        """Return one delivery for each app that receives an event. Hold the world's lock.

        An app without a webhook address receives none.
        """
        made = []
        for installation in self._world.installations_on(told.repository):
            if installation.app.webhook_url is None:
                continue
            if installation.suspended_at is None and _hears(installation, told):
                payload = self.payloads.of(told, installation)
                action = told.members.get("action")
                made.append(
                    self.prepare(
                        installation.app, told.event, action, payload,
                        installation_id=installation.id, repository_id=told.repository.id,
                    )
                )  # fmt: skip
        return made

    def prepare(  # noqa: PLR0913 - a delivery has these parts
        self,
        app: HubApp,
        event: str,
        action: str | None,
        payload: Json,
        *,
        installation_id: int | None = None,
        repository_id: int | None = None,
        guid: str | None = None,
    ) -> HubDelivery:
        """Return a signed, unsent delivery."""
        number = self._world.next_id("delivery")
        made_up = uuid.uuid5(uuid.NAMESPACE_URL, f"delivery/{number}")
        delivery = HubDelivery(
            id=number,
            guid=guid or str(made_up),
            app=app,
            event=event,
            action=action,
            installation_id=installation_id,
            repository_id=repository_id,
            request_headers={},
            body=json.dumps(payload, separators=(",", ":")).encode(),
            delivered_at=self._world.now(),
        )
        delivery.request_headers = headers_of(delivery)
        return delivery

    def again(self, delivery: HubDelivery) -> HubDelivery:
        """Return a redelivery: a new id, the same GUID and body, the current secret."""
        number = self._world.next_id("delivery")
        made = replace(
            delivery, id=number, redelivery=True, status="pending", status_code=0,
            delivered_at=self._world.now(), response_headers={}, response_body="",
        )  # fmt: skip
        made.request_headers = headers_of(made)
        return made

    # --- sending ------------------------------------------------------------------------------

    def queue(self, deliveries: list[HubDelivery]) -> None:
        """Queue deliveries, to be sent in this order."""
        for delivery in deliveries:
            self._queue.put(delivery)

    def send(self, delivery: HubDelivery) -> HubDelivery:
        """Send one delivery now, subject to the fault plan, and return its record."""
        name = f"{delivery.event}.{delivery.action}" if delivery.action else delivery.event
        fault = self._plan.for_delivery(name)
        kind = fault.kind if fault else None
        if kind is FaultKind.LOST:
            delivery.status = "lost by the stand-in"
            return delivery
        if kind is FaultKind.HELD:
            self._held.append(delivery)
            return delivery
        if kind is FaultKind.CLOSED_SAYS_OPEN:
            delivery.body = json.dumps(still_open(json.loads(delivery.body))).encode()
            delivery.request_headers = headers_of(delivery)
        self._send_or_fail(delivery, kind)
        self.release()
        return delivery

    def release(self) -> None:
        """Send the held deliveries; `send` does this after each delivery."""
        held, self._held = self._held, []
        for delivery in held:
            self._send_or_fail(delivery, None)

    def _send_or_fail(self, delivery: HubDelivery, kind: FaultKind | None) -> None:
        with self._world.lock:
            self._world.deliveries[delivery.id] = delivery
        if kind is FaultKind.FAILED:
            delivery.status, delivery.status_code = "failed to connect to host", 502
        elif kind is FaultKind.TIMED_OUT:
            delivery.status, delivery.duration = "timed out", DELIVERY_TIMEOUT_SECONDS
        else:
            self._post(delivery)
        if kind is FaultKind.DUPLICATE:
            self._send_or_fail(self.again(delivery), None)

    def _post(self, delivery: HubDelivery) -> None:
        target = _target(delivery, self._world.tunnels)
        problem = _unsendable(delivery, target)
        if problem is not None:
            delivery.status = f"not sent: {problem}"
            return
        started = time.monotonic()
        try:
            _post(delivery, target)
        except TimeoutError:
            delivery.status = "timed out"
        except (OSError, http.client.HTTPException) as failed:
            delivery.status, delivery.status_code = f"failed to connect to host: {failed}", 502
        delivery.duration = round(time.monotonic() - started, 3)

    def _drain(self) -> None:
        while (delivery := self._queue.get()) is not None:
            self.send(delivery)
            self._queue.task_done()
        self._queue.task_done()


def _hears(installation: HubInstallation, told: Announcement) -> bool:
    event, app = told.event, installation.app
    if event == "repository" and told.members.get("action") == "deleted":
        # "GitHub Apps and repository webhooks will not receive this event."
        # https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository
        return False
    if event in WITH_CHECKS and installation.permissions.get("checks") == "write":
        action = told.members.get("action")
        own = _app_of(told) is app
        # Only the app that owns the run or the suite receives these actions.
        return own or action not in {"rerequested", "requested_action", "requested"}
    # An account that has not accepted a new permission yet does not send its events.
    return event in AUTOMATIC or (event in app.events and supports(installation.permissions, event))


def _app_of(told: Announcement) -> HubApp | None:
    run, suite = told.members.get("check_run"), told.members.get("check_suite")
    suite = run.suite if run is not None else suite
    return None if suite is None else suite.app


def headers_of(delivery: HubDelivery) -> dict[str, str]:
    """Return the headers of a delivery, with its signatures."""
    secret, app = delivery.app.webhook_secret.encode(), delivery.app
    return {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/sandbox",
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Hook-ID": str(app.hook_id),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature": "sha1=" + hmac.new(secret, delivery.body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256="
        + hmac.new(secret, delivery.body, hashlib.sha256).hexdigest(),
    }


def _target(delivery: HubDelivery, tunnels: dict[str, str]) -> str:
    """Return the address on this machine at which an app's address is answered."""
    url = delivery.app.webhook_url or ""
    for public, local in tunnels.items():
        if url.startswith(f"{public}/"):
            return local + url.removeprefix(public)
    return url


def _unsendable(delivery: HubDelivery, target: str) -> str | None:
    """Return why a delivery cannot be sent; ``None``: it can."""
    if not target:
        return "the app has no webhook address"
    if len(delivery.body) > PAYLOAD_BYTES:
        return "the payload is above 25 MB"
    return None if is_local(target) else f"{urlsplit(target).hostname} is not on this machine"


def _post(delivery: HubDelivery, target_url: str) -> None:
    """Send a delivery to its app and record the answer."""
    parts = urlsplit(target_url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or 80, timeout=DELIVERY_TIMEOUT_SECONDS
    )
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target or "/", delivery.body, delivery.request_headers)
        answer = connection.getresponse()
        delivery.response_body = answer.read(65_536).decode(errors="replace")
        delivery.response_headers = dict(answer.getheaders())
        delivery.status_code = answer.status
        delivery.status = "OK" if answer.status < 400 else f"Invalid HTTP Response: {answer.status}"
    finally:
        connection.close()
