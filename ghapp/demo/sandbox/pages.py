"""Pages for a person's browser: pull requests, registration of an app, sign-in.

A page shows the state of the world; its buttons do what GitHub's do. It does not copy GitHub's
design.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined

from ghapp.demo.sandbox import manifest
from ghapp.demo.sandbox.device_flow import DeviceFlow
from ghapp.demo.sandbox.dispatch import WireAnswer, WireRequest
from ghapp.demo.sandbox.rendering import to_html
from ghapp.demo.sandbox.shapes import STATUS_WORDS
from ghapp.demo.sandbox.sign_in import HubSignIn, redirect
from ghapp.demo.sandbox.state import (
    HubCheckRun,
    HubPull,
    HubRepository,
    PendingManifest,
    World,
)

# /acme/shop/pull/7, /acme/shop/pull/7.diff
PULL = re.compile(r"/(?P<owner>[^/]+)/(?P<name>[^/]+)/pull/(?P<number>[0-9]+)(?P<rest>\.diff)?")
# /acme/shop
REPOSITORY = re.compile(r"/(?P<owner>[^/]+)/(?P<name>[^/]+)")
# /organizations/acme/settings/apps/new, /settings/apps/new
NEW_APP = re.compile(r"/(?:organizations/(?P<owner>[^/]+)/)?settings/apps/new")
HTML = "text/html; charset=utf-8"
NO_PULL = b"""<!doctype html><html lang="en"><title>Not here</title>
<h1>The stand-in has no such pull request</h1>
<p>In the demo it holds those that were merged last. Of the older ones of the made year there are
audits only.</p><p><a href="/">All pull requests that it has</a></p>"""
SHOWN_ANNOTATIONS = 20


@dataclass(frozen=True)
class PageButtons:
    """What a click does: each sends a webhook to the app that owns the run."""

    rerun: Callable[[HubPull, HubCheckRun, str], object]
    act: Callable[[HubPull, HubCheckRun, str, str], object]


class HubPages:
    """Answers requests for pages and leaves all others to the API."""

    def __init__(self, world: World, buttons: PageButtons, device_flow: DeviceFlow) -> None:
        self._world = world
        self._device_flow = device_flow
        self._buttons = buttons
        self._sign_in = HubSignIn(world)
        self._templates = Environment(
            loader=PackageLoader("ghapp.demo.sandbox"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["markdown"] = to_html

    def answer(self, request: WireRequest, form: Mapping[str, str]) -> WireAnswer | None:
        """Answer with a page; ``None``: no page has this address."""
        wanted = PULL.fullmatch(request.path)
        if wanted is not None:
            return self._pull(request, form, wanted)
        if request.path == "/" and "text/html" in request.headers.get("Accept", ""):
            return self._index()
        if (only := self._repository(request)) is not None:
            return self._page("index.html", repositories=[only])
        if request.path == "/favicon.ico":
            return WireAnswer(204, {}, b"")
        new_app = NEW_APP.fullmatch(request.path)
        if new_app is not None and request.method == "POST":
            return self._new_app(request, form, new_app["owner"])
        return self._device_flow.answer(request, form) or self._sign_in.answer(request, form)

    # --- pull requests ------------------------------------------------------------------------

    def _index(self) -> WireAnswer:
        with self._world.lock:
            living = [one for one in self._world.repositories.values() if not one.deleted]
            return self._page("index.html", repositories=living)

    def _repository(self, request: WireRequest) -> HubRepository | None:
        """Return the repository whose page a browser asks for."""
        wanted = REPOSITORY.fullmatch(request.path)
        if wanted is None or "text/html" not in request.headers.get("Accept", ""):
            return None
        with self._world.lock:
            return self._world.repository_named(f"{wanted['owner']}/{wanted['name']}")

    def _pull(
        self, request: WireRequest, form: Mapping[str, str], wanted: re.Match[str]
    ) -> WireAnswer | None:
        with self._world.lock:
            repository = self._world.repository_named(f"{wanted['owner']}/{wanted['name']}")
            pull = repository.pulls.get(int(wanted["number"])) if repository else None
        if pull is None:
            return WireAnswer(404, {"Content-Type": HTML}, NO_PULL)
        if request.method == "POST":
            return self._pressed(request, pull, form)
        if wanted["rest"]:
            text = pull.repository.git.patch(pull.merge_base, pull.head_sha)
            return WireAnswer(200, {"Content-Type": "text/plain; charset=utf-8"}, text)
        with self._world.lock:
            return self._shown(pull)

    def _shown(self, pull: HubPull) -> WireAnswer:
        repository = pull.repository
        runs = [run for run in repository.check_runs.values() if run.head_sha == pull.head_sha]
        return self._page(
            "pull.html",
            pull=pull,
            repository=repository,
            runs=runs,
            changes=repository.git.changes(pull.merge_base, pull.head_sha),
            words=STATUS_WORDS,
            shown_annotations=SHOWN_ANNOTATIONS,
        )

    def _pressed(
        self, request: WireRequest, pull: HubPull, form: Mapping[str, str]
    ) -> WireAnswer | None:
        number = form.get("run", "")
        run = pull.repository.check_runs.get(int(number) if number.isdigit() else 0)
        if run is None:
            return WireAnswer(404, {"Content-Type": HTML}, b"This check run does not exist.")
        person = (pull.merged_by or pull.author).login
        if form.get("identifier"):
            self._buttons.act(pull, run, form["identifier"], person)
        else:
            self._buttons.rerun(pull, run, person)
        return WireAnswer(303, {"Location": request.path}, b"")

    def _page(self, template: str, **values: object) -> WireAnswer:
        style = self._templates.get_template("style.css").render()
        text = self._templates.get_template(template).render(style=style, **values)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self' https: data:; "
        policy += "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        return WireAnswer(
            200, {"Content-Type": HTML, "Content-Security-Policy": policy}, text.encode()
        )

    # --- registering an app -------------------------------------------------------------------

    def _new_app(
        self, request: WireRequest, form: Mapping[str, str], owner: str | None
    ) -> WireAnswer | None:
        """Accept a manifest as if the person had agreed, and redirect with a code.

        https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
        """
        try:
            members = json.loads(form.get("manifest", ""))
            target = members["redirect_url"]
        except (ValueError, KeyError, TypeError) as broken:
            return _invalid_app([f"the manifest is broken: {broken!r}"])
        with self._world.lock:
            names = [app.name for app in self._world.apps.values()]
            if wrong := manifest.problems(members, names):
                return _invalid_app(wrong)
            for name in sorted(set(members) - manifest.MEMBERS):
                self._world.violate("POST /settings/apps/new", f"unknown member {name!r}")
            kind = "Organization" if owner else "User"
            account = self._world.account(owner or "maintainer", kind)
            code = f"manifest{self._world.next_id('request'):032d}"
            self._world.manifests[code] = PendingManifest(members, account, self._world.now())
        passed = {k: v for k, v in parse_qsl(request.query) if k == "state"}
        return redirect(target, {"code": code, **passed})


def _invalid_app(problems: list[str]) -> WireAnswer:
    listed = "".join(f"<li>Error: {escape(problem)}</li>" for problem in problems)
    said = (
        "<h1>Invalid GitHub App configuration</h1><p>The configuration does not appear to be a "
        f"valid GitHub App manifest.</p><ul>{listed}</ul>"
    )
    return WireAnswer(422, {"Content-Type": HTML}, said.encode())
