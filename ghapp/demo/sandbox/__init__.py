r"""A strict stand-in for GitHub over HTTP, with a real git repository behind each repository.

Product code meets it as it meets GitHub: over HTTP only. A scenario in short::

    with Sandbox(directory) as sandbox:
        registered = sandbox.register_app(webhook_url="http://127.0.0.1:8000/webhook")
        repository = sandbox.add_repository("acme", "app", files={"a.py": "x = 1\n"})
        installation = sandbox.install(registered.app, "acme")
        pull = sandbox.open_pull(repository, files={"b.py": "y = 2\n"}, title="Add y")
        sandbox.merge(pull, method="squash")
        sandbox.deliver_closed(pull)          # signed, to the webhook_url, now
        # for the client: sandbox.api_url, registered.app.id, registered.private_key,
        # registered.app.webhook_secret, installation.id
        sandbox.visible(pull).label_names     # what stands on the pull request
        sandbox.writes(), sandbox.violations  # what was asked, and what should not have been
        sandbox.play({"kind": "bad_gateway_after", "method": "POST", "route": "*/comments"})

``builder`` makes scenarios, ``events`` sends webhooks, ``faults`` lets things go wrong,
``limits`` holds GitHub's limits; all four are methods of ``Sandbox`` or arguments to it.
"""

from ghapp.demo.sandbox.builder import EVENTS, PERMISSIONS, BuilderError
from ghapp.demo.sandbox.faults import Fault, FaultError, Kind
from ghapp.demo.sandbox.git_backend import Content, Executable, MergeConflict, Submodule, Symlink
from ghapp.demo.sandbox.limits import Limits
from ghapp.demo.sandbox.registration import RegisteredApp
from ghapp.demo.sandbox.sandbox import Sandbox, Visible
from ghapp.demo.sandbox.state import (
    CheckRun,
    Comment,
    Delivery,
    Exchange,
    Installation,
    Label,
    PullRequest,
    Repository,
    Violation,
)

__all__ = [
    "EVENTS",
    "PERMISSIONS",
    "BuilderError",
    "CheckRun",
    "Comment",
    "Content",
    "Delivery",
    "Exchange",
    "Executable",
    "Fault",
    "FaultError",
    "Installation",
    "Kind",
    "Label",
    "Limits",
    "MergeConflict",
    "PullRequest",
    "RegisteredApp",
    "Repository",
    "Sandbox",
    "Submodule",
    "Symlink",
    "Violation",
    "Visible",
]
