r"""A strict stand-in for GitHub over HTTP, with a real git repository behind each repository.

The product talks to it as it talks to GitHub: over HTTP only. A short scenario::

    with Sandbox(directory) as sandbox:
        registered = sandbox.register_app(webhook_url="http://127.0.0.1:8000/webhook")
        repository = sandbox.add_repository("acme", "app", files={"a.py": "x = 1\n"})
        installation = sandbox.install(registered.app, "acme")
        pull = sandbox.open_pull(repository, files={"b.py": "y = 2\n"}, title="Add y")
        sandbox.merge(pull, method="squash")
        sandbox.deliver_closed(pull)          # signed, to the webhook_url, now
        # the client needs: sandbox.api_url, registered.app.id, registered.private_key,
        # registered.app.webhook_secret, installation.id
        sandbox.visible(pull).label_names     # what a person sees on the pull request
        sandbox.writes(), sandbox.violations  # what was requested, and what must not be
        sandbox.play({"kind": "bad_gateway_after", "method": "POST", "route": "*/comments"})

``builder`` makes scenarios, ``events`` sends webhooks, ``faults`` makes things go wrong and
``limits`` holds GitHub's limits. All four are methods of ``Sandbox`` or arguments to it.
"""

from ghapp.demo.sandbox.builder import EVENTS, PERMISSIONS, BuilderError
from ghapp.demo.sandbox.faults import Fault, FaultError, FaultKind
from ghapp.demo.sandbox.git_backend import (
    Content,
    ExecutableFile,
    MergeConflict,
    SubmoduleEntry,
    SymbolicLink,
)
from ghapp.demo.sandbox.limits import HubLimits
from ghapp.demo.sandbox.registration import RegisteredApp
from ghapp.demo.sandbox.sandbox import Sandbox, VisiblePull
from ghapp.demo.sandbox.state import (
    Exchange,
    HubCheckRun,
    HubComment,
    HubDelivery,
    HubInstallation,
    HubLabel,
    HubPull,
    HubRepository,
    Violation,
)

__all__ = [
    "EVENTS",
    "PERMISSIONS",
    "BuilderError",
    "Content",
    "Exchange",
    "ExecutableFile",
    "Fault",
    "FaultError",
    "FaultKind",
    "HubCheckRun",
    "HubComment",
    "HubDelivery",
    "HubInstallation",
    "HubLabel",
    "HubLimits",
    "HubPull",
    "HubRepository",
    "MergeConflict",
    "RegisteredApp",
    "Sandbox",
    "SubmoduleEntry",
    "SymbolicLink",
    "Violation",
    "VisiblePull",
]
