"""How apps are told what happened: one method an event, sent at once and signed."""

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
"""One delivery for each app that hears of the event; empty: none does."""


class EventSender:
    """Delivers webhooks in the caller's thread and returns their records."""

    def __init__(self, world: World, webhooks: WebhookSender) -> None:
        self._world = world
        self._webhooks = webhooks

    def deliver(
        self, event: str, members: dict[str, Any], repository: HubRepository, sender: str
    ) -> Sent:
        """Deliver an event on a repository; ``members`` hold nouns of the stand-in."""
        with self._world.lock:
            told = Announcement(event, members, repository, self._world.account(sender))
            made = self._webhooks.composed(told)
        return tuple(self._webhooks.send(delivery) for delivery in made)

    # --- pull requests ------------------------------------------------------------------------

    def deliver_closed(self, pull: HubPull) -> Sent:
        """Tell of a closed pull request, merged or not."""
        sender = (pull.merged_by or pull.author).login
        return self.deliver(
            "pull_request", {"action": "closed", "pull": pull}, pull.repository, sender
        )

    def deliver_opened(self, pull: HubPull) -> Sent:
        """Tell of a new pull request."""
        members = {"action": "opened", "pull": pull}
        return self.deliver("pull_request", members, pull.repository, pull.author.login)

    def deliver_labeled(
        self, pull: HubPull, label: HubLabel, sender: str, action: str = "labeled"
    ) -> Sent:
        """Tell of a label put on (``labeled``) or taken off (``unlabeled``) by a person."""
        members = {"action": action, "pull": pull, "label": label}
        return self.deliver("pull_request", members, pull.repository, sender)

    def deliver_comment(self, pull: HubPull, comment: HubComment, action: str = "created") -> Sent:
        """Tell of a comment that was ``created``, ``edited`` or ``deleted`` by its author."""
        members: dict[str, Any] = {"action": action, "pull": pull, "comment": comment}
        if action == "edited":
            members["changes"] = {"body": {"from": ""}}
        return self.deliver("issue_comment", members, pull.repository, comment.author.login)

    # --- checks -------------------------------------------------------------------------------

    def deliver_rerequested(self, repository: HubRepository, run: HubCheckRun, sender: str) -> Sent:
        """Tell that a person asked to run a check again; its suite waits from now on."""
        with self._world.lock:
            run.suite.rerequested = True
        members = {"action": "rerequested", "check_run": run}
        return self.deliver("check_run", members, repository, sender)

    def deliver_requested_action(
        self, repository: HubRepository, run: HubCheckRun, identifier: str, sender: str
    ) -> Sent:
        """Tell that a person pressed one of a check run's buttons."""
        members = {
            "action": "requested_action",
            "check_run": run,
            "requested_action": {"identifier": identifier},
        }
        return self.deliver("check_run", members, repository, sender)

    def deliver_suite(
        self, repository: HubRepository, suite: CheckSuite, sender: str, action: str = "rerequested"
    ) -> Sent:
        """Tell of a suite: ``rerequested`` ("re-run all"), or ``requested`` as after a push."""
        with self._world.lock:
            suite.rerequested = suite.rerequested or action == "rerequested"
        members = {"action": action, "check_suite": suite}
        return self.deliver("check_suite", members, repository, sender)

    # --- repositories -------------------------------------------------------------------------

    def deliver_push(self, repository: HubRepository, before: str, after: str, sender: str) -> Sent:
        """Tell of a push to the default branch; ``ZERO`` stands for no commit."""
        ref = f"refs/heads/{repository.default_branch}"
        members = {"ref": ref, "before": before or ZERO, "after": after or ZERO}
        return self.deliver("push", members, repository, sender)

    def deliver_label(
        self, repository: HubRepository, label: HubLabel, action: str, sender: str
    ) -> Sent:
        """Tell of a label's definition: ``created``, ``edited`` or ``deleted``."""
        members: dict[str, Any] = {"action": action, "label": label}
        if action == "edited":
            members["changes"] = {}
        return self.deliver("label", members, repository, sender)

    def deliver_repository(
        self, repository: HubRepository, action: str, sender: str, changes: Json | None = None
    ) -> Sent:
        """Tell of a repository: ``renamed``, ``transferred``, ``archived``, ``deleted`` ...

        ``changes`` is what GitHub says of the state before, see ``renamed`` and ``transferred``.
        """
        members: dict[str, Any] = {"action": action}
        if changes is not None:
            members["changes"] = changes
        return self.deliver("repository", members, repository, sender)

    # --- installations ------------------------------------------------------------------------

    def deliver_installation(
        self, installation: HubInstallation, action: str, sender: str = "maintainer"
    ) -> HubDelivery:
        """Tell of an installation: ``created``, ``deleted``, ``suspend``, ``unsuspend`` ..."""
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
        """Tell of repositories that an installation gained or lost, and make it so."""
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
        """Greet an app's webhook."""
        with self._world.lock:
            made = self._webhooks.prepare(app, "ping", None, self._webhooks.payloads.ping(app))
        return self._webhooks.send(made)

    # --- odd ones -----------------------------------------------------------------------------

    def deliver_again(self, delivery: HubDelivery) -> HubDelivery:
        """Send a delivery again as a redelivery: same GUID, same body."""
        with self._world.lock:
            made = self._webhooks.again(delivery)
        return self._webhooks.send(made)

    def deliver_raw(
        self,
        app: HubApp,
        event: str,
        body: bytes | Json,
        *,
        secret: str | None = None,
        headers: dict[str, str | None] | None = None,
    ) -> HubDelivery:
        """Deliver any bytes, signed with ``secret`` (default: the app's), for tests of refusal.

        ``headers`` replace those that would be sent; ``None`` leaves one out.
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
    """Return what a ``repository.renamed`` event says of the state before."""
    return {"repository": {"name": {"from": former_name}}}


def transferred(former_owner: HubAccount) -> Json:
    """Return what a ``repository.transferred`` event says of the state before."""
    shown = {"login": former_owner.login, "id": former_owner.id, "type": former_owner.kind}
    return {"owner": {"from": {"user": shown}}}
