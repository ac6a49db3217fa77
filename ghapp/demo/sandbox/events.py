"""Sends webhooks, one method for each event, signed and at once.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import json
from collections.abc import Sequence
from typing import Any

from ghapp.demo.sandbox.git_backend import ZERO
from ghapp.demo.sandbox.state import (
    Announcement,
    CheckSuite,
    HubAccount,
    HubApp,
    HubCheckRun,
    HubComment,
    HubDelivery,
    HubInstallation,
    HubLabel,
    HubPull,
    HubRepository,
    Json,
    World,
)
from ghapp.demo.sandbox.webhooks import WebhookSender, headers_of

Sent = tuple[HubDelivery, ...]
"""One delivery for each app that receives the event."""


class EventSender:
    """Delivers webhooks in the caller's thread and returns their records."""

    def __init__(self, world: World, webhooks: WebhookSender) -> None:
        self._world = world
        self._webhooks = webhooks

    def deliver(
        self, event: str, members: dict[str, Any], repository: HubRepository, sender: str
    ) -> Sent:
        """Deliver an event of a repository; ``members`` hold nouns of the stand-in."""
        with self._world.lock:
            told = Announcement(event, members, repository, self._world.account(sender))
            made = self._webhooks.composed(told)
        return tuple(self._webhooks.send(delivery) for delivery in made)

    # --- pull requests ------------------------------------------------------------------------

    def deliver_closed(self, pull: HubPull) -> Sent:
        """Deliver ``closed`` for a pull request, merged or not."""
        sender = (pull.merged_by or pull.author).login
        return self.deliver(
            "pull_request", {"action": "closed", "pull": pull}, pull.repository, sender
        )

    def deliver_opened(self, pull: HubPull) -> Sent:
        """Deliver ``opened`` for a new pull request."""
        members = {"action": "opened", "pull": pull}
        return self.deliver("pull_request", members, pull.repository, pull.author.login)

    def deliver_labeled(
        self, pull: HubPull, label: HubLabel, sender: str, action: str = "labeled"
    ) -> Sent:
        """Deliver that a person added (``labeled``) or removed (``unlabeled``) a label."""
        members = {"action": action, "pull": pull, "label": label}
        return self.deliver("pull_request", members, pull.repository, sender)

    def deliver_comment(self, pull: HubPull, comment: HubComment, action: str = "created") -> Sent:
        """Deliver that the author ``created``, ``edited`` or ``deleted`` a comment."""
        members: dict[str, Any] = {"action": action, "pull": pull, "comment": comment}
        if action == "edited":
            members["changes"] = {"body": {"from": ""}}
        return self.deliver("issue_comment", members, pull.repository, comment.author.login)

    # --- checks -------------------------------------------------------------------------------

    def deliver_rerequested(self, repository: HubRepository, run: HubCheckRun, sender: str) -> Sent:
        """Deliver that a person asked to run a check again; its suite is queued from now on."""
        with self._world.lock:
            run.suite.rerequested = True
        members = {"action": "rerequested", "check_run": run}
        return self.deliver("check_run", members, repository, sender)

    def deliver_requested_action(
        self, repository: HubRepository, run: HubCheckRun, identifier: str, sender: str
    ) -> Sent:
        """Deliver that a person clicked a button of a check run."""
        members = {
            "action": "requested_action",
            "check_run": run,
            "requested_action": {"identifier": identifier},
        }
        return self.deliver("check_run", members, repository, sender)

    def deliver_suite(
        self, repository: HubRepository, suite: CheckSuite, sender: str, action: str = "rerequested"
    ) -> Sent:
        """Deliver ``rerequested`` ("re-run all") or ``requested`` (after a push) for a suite."""
        with self._world.lock:
            suite.rerequested = suite.rerequested or action == "rerequested"
        members = {"action": action, "check_suite": suite}
        return self.deliver("check_suite", members, repository, sender)

    # --- repositories -------------------------------------------------------------------------

    def deliver_push(self, repository: HubRepository, before: str, after: str, sender: str) -> Sent:
        """Deliver a push to the default branch; ``ZERO`` means no commit."""
        ref = f"refs/heads/{repository.default_branch}"
        members = {"ref": ref, "before": before or ZERO, "after": after or ZERO}
        return self.deliver("push", members, repository, sender)

    def deliver_label(
        self, repository: HubRepository, label: HubLabel, action: str, sender: str
    ) -> Sent:
        """Deliver that somebody ``created``, ``edited`` or ``deleted`` a repository's label."""
        members: dict[str, Any] = {"action": action, "label": label}
        if action == "edited":
            members["changes"] = {}
        return self.deliver("label", members, repository, sender)

    def deliver_repository(
        self, repository: HubRepository, action: str, sender: str, changes: Json | None = None
    ) -> Sent:
        """Deliver a repository event: ``renamed``, ``transferred``, ``archived``, ``deleted`` ...

        ``changes`` describes the state before; `renamed` and `transferred` return it.
        """
        members: dict[str, Any] = {"action": action}
        if changes is not None:
            members["changes"] = changes
        return self.deliver("repository", members, repository, sender)

    # --- installations ------------------------------------------------------------------------

    def deliver_installation(
        self, installation: HubInstallation, action: str, sender: str = "maintainer"
    ) -> HubDelivery:
        """Deliver an installation event: ``created``, ``deleted``, ``suspend`` ..."""
        with self._world.lock:
            reached = self._world.repositories_of(installation)
            members: Json = {"action": action}
            if action in {"created", "deleted"}:
                members["repositories"] = self._webhooks.payloads.listed(reached)
            if action == "created":
                members["requester"] = None
        return self._installation_event(installation, "installation", members, sender)

    def deliver_installation_repositories(
        self,
        installation: HubInstallation,
        *,
        added: Sequence[HubRepository] = (),
        removed: Sequence[HubRepository] = (),
        sender: str = "maintainer",
    ) -> HubDelivery:
        """Add or remove an installation's repositories and deliver the event."""
        with self._world.lock:
            installation.repository_ids |= {one.id for one in added}
            installation.repository_ids -= {one.id for one in removed}
            listed = self._webhooks.payloads.listed
            members = {
                "action": "added" if added else "removed",
                "repository_selection": installation.selection,
                "repositories_added": listed(list(added)),
                "repositories_removed": listed(list(removed)),
                "requester": None,
            }
        return self._installation_event(installation, "installation_repositories", members, sender)

    def _installation_event(
        self, installation: HubInstallation, event: str, members: Json, sender: str
    ) -> HubDelivery:
        with self._world.lock:
            account = self._world.account(sender)
            payload = self._webhooks.payloads.installation(installation, members, account)
            made = self._webhooks.prepare(
                installation.app, event, members["action"], payload,
                installation_id=installation.id,
            )  # fmt: skip
        return self._webhooks.send(made)

    def deliver_ping(self, app: HubApp) -> HubDelivery:
        """Deliver a ``ping`` to an app's webhook."""
        with self._world.lock:
            made = self._webhooks.prepare(app, "ping", None, self._webhooks.payloads.ping(app))
        return self._webhooks.send(made)

    # --- raw bytes ----------------------------------------------------------------------------

    def deliver_raw(
        self,
        app: HubApp,
        event: str,
        body: bytes | Json,
        *,
        secret: str | None = None,
        headers: dict[str, str | None] | None = None,
    ) -> HubDelivery:
        """Deliver any bytes, signed with ``secret`` (default: the app's), to test refusals.

        ``headers`` replace the usual ones; ``None`` omits a header.
        """
        with self._world.lock:
            made = self._webhooks.prepare(app, event, None, {})
        made.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        kept, app.webhook_secret = app.webhook_secret, secret or app.webhook_secret
        made.request_headers = headers_of(made)
        app.webhook_secret = kept
        changed = {**made.request_headers, **(headers or {})}
        made.request_headers = {name: value for name, value in changed.items() if value is not None}
        return self._webhooks.send(made)


def renamed(former_name: str) -> Json:
    """Return the ``changes`` of a ``repository.renamed`` event."""
    return {"repository": {"name": {"from": former_name}}}


def transferred(former_owner: HubAccount) -> Json:
    """Return the ``changes`` of a ``repository.transferred`` event."""
    shown = {"login": former_owner.login, "id": former_owner.id, "type": former_owner.kind}
    return {"owner": {"from": {"user": shown}}}
