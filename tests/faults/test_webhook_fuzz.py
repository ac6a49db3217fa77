"""The webhook route answers every request, signed or not, and never with a 5xx."""

import json
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core import NotSet

from ghapp.bootstrap import Services
from ghapp.events.dispatch import RULES
from ghapp.github import webhooks
from ghapp.github.webhooks import sign
from ghapp.store import Store
from ghapp.web.app import create_app
from tests.searching import searched
from tests.web.conftest import APP, NOW, SECRETS, RememberingQueue, door_settings

ACTIONS = ("closed", "rerequested", "requested_action", "created", "deleted", "suspend", "added")
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
SIDE = st.fixed_dictionaries({"sha": st.text(max_size=8) | JSON, "ref": st.text(max_size=8)})
MEMBERS: dict[str, Any] = {
    "action": st.sampled_from(ACTIONS) | JSON,
    "installation": st.fixed_dictionaries(
        {"id": st.integers() | JSON, "account": JSON, "permissions": JSON}
    )
    | JSON,
    "repository": st.fixed_dictionaries(
        {"id": st.integers() | JSON, "full_name": st.text(max_size=9), "archived": JSON}
    )
    | JSON,
    "repositories": JSON,
    "repositories_added": st.lists(
        st.fixed_dictionaries({"id": st.integers(), "full_name": st.text(max_size=9)}), max_size=3
    )
    | JSON,
    "sender": JSON,
    "pull_request": st.fixed_dictionaries(
        {"number": st.integers() | JSON, "merged": JSON, "head": SIDE, "base": SIDE}
    )
    | JSON,
    "check_run": st.fixed_dictionaries(
        {"id": st.integers(), "head_sha": st.text(max_size=5), "external_id": JSON, "app": JSON}
    )
    | JSON,
    "check_suite": JSON,
    "requested_action": JSON,
}
PAYLOADS = st.fixed_dictionaries({}, optional=MEMBERS)
FOLLOWED = [*dict.fromkeys(rule.name for rule in RULES.values())]
EVENTS = st.sampled_from([*FOLLOWED, "ping", "push", "issue_comment", "label", "star"])


@pytest.fixture
def services(tmp_path: Path, store: Store) -> Services:
    """Return the services of the route, once on SQLite and once on PostgreSQL."""
    settings = door_settings(tmp_path)
    return Services(settings=settings, store=store, queue=RememberingQueue(), clock=lambda: NOW)


def answer(client: FlaskClient, body: bytes, event: str, **more: str) -> int:
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(body, SECRETS[0]),
        "X-GitHub-Hook-Installation-Target-ID": str(APP),
    }
    return client.post("/webhooks/github", data=body, headers={**headers, **more}).status_code


def test_no_payload_and_no_header_brings_the_door_down(services: Services) -> None:
    client = create_app(services).test_client()

    @searched(100)
    @given(payload=PAYLOADS, event=EVENTS)
    def signed(payload: dict[str, Any], event: str) -> None:
        assert answer(client, json.dumps(payload).encode(), event) in {202, 400}

    @searched(25)
    @given(body=st.binary(max_size=64), event=st.text("abc_-. /ü", max_size=70))
    def anything(body: bytes, event: str) -> None:
        assert answer(client, body, event) < 500
        wrong = answer(client, body, "ping", **{"X-Hub-Signature-256": "sha256=00"})
        assert wrong in {401, 429}

    signed()
    anything()


PULL = {"number": 1, "merged": True, "head": {"sha": "a"}, "base": {"sha": "b"}}
CLOSED = {"action": "closed", "repository": {"id": 1, "full_name": "a/b"}, "pull_request": PULL}


@pytest.mark.parametrize(
    "member",
    [
        {"pull_request": {**PULL, "number": 2**31}},
        {"installation": {"id": 2**63}},
        {"installation": {"id": -1}},
        {"repository": {"id": 2**70, "full_name": "a/b"}},
    ],
)
def test_a_number_that_no_database_can_keep_is_malformed(
    services: Services, member: dict[str, Any]
) -> None:
    client = create_app(services).test_client()
    assert answer(client, json.dumps(CLOSED).encode(), "pull_request") == 202
    assert answer(client, json.dumps({**CLOSED, **member}).encode(), "pull_request") == 400


# --- as a program that reads our description would send ----------------------------------------


def _described() -> dict[str, Any]:
    """Return the webhook route in OpenAPI: a path for each event, with the members that we read."""
    kinds = {
        "pull_request": webhooks._PullPayload,
        "check_run": webhooks._RunPayload,
        "check_suite": webhooks._SuitePayload,
        "issue_comment": webhooks._CommentPayload,
        "issues": webhooks._IssuePayload,
        "deployment_status": webhooks._DeploymentPayload,
        "release": webhooks._ReleasePayload,
        "workflow_run": webhooks._WorkflowRunPayload,
        "installation": webhooks._InstallationPayload,
        "installation_repositories": webhooks._RepositoriesPayload,
        "repository": webhooks._RepositoryPayload,
    }
    assert set(kinds) == set(FOLLOWED)
    template = "#/components/schemas/{name}"
    schemas, components = msgspec.json.schema_components(kinds.values(), ref_template=template)
    paths = {
        f"/{event}": {
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {"schema": one}}},
                "responses": {"202": {"description": "kept"}},
            }
        }
        for event, one in zip(kinds, schemas, strict=True)
    }
    about = {"openapi": "3.1.0", "info": {"title": "deliveries", "version": "1"}}
    return {**about, "paths": paths, "components": {"schemas": components}}


DESCRIBED = schemathesis.openapi.from_dict(_described())


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services).test_client()


@DESCRIBED.parametrize()
@searched(3)
def test_what_a_description_allows_or_forbids_is_answered(case: Case, client: FlaskClient) -> None:
    # The cases include bodies that are no JSON, and empty bodies.
    body = b"" if isinstance(case.body, NotSet) else json.dumps(case.body, default=str).encode()
    assert answer(client, body, case.path.strip("/")) in {202, 400}
