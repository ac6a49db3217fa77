"""The pages that a person sees: safe content, and what the buttons do."""

import json

import pytest
import requests

from ghapp.demo.sandbox.rendering import to_html
from tests.demo.sandbox.hub import Hub

COMMENT = """<!-- marker -->
### 61 of 90 lines

| file | lines |
|---|---:|
| `a.py` | 20 |

<details><summary>More</summary>

Some *text*.

</details>
"""


def _page(hub: Hub, path: str = "/acme/app/pull/1") -> str:
    answer = requests.get(hub.sandbox.web_url + path, headers={"Accept": "text/html"}, timeout=60)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return answer.text


def test_a_pull_request_with_all_that_was_said(hub: Hub) -> None:
    assert "No check has run" in _page(hub)
    run = {
        "name": "attribution",
        "head_sha": hub.pull.head_sha,
        "conclusion": "neutral",
        "output": {"title": "67.8 % <assisted>", "summary": COMMENT},
        "actions": [{"label": "Audit again", "description": "d", "identifier": "audit_again"}],
    }
    number = hub.repo("POST", "/check-runs", run).json()["id"]
    hub.repo("POST", "/issues/1/comments", {"body": COMMENT})
    hub.repo("POST", "/issues/1/labels", {"labels": ["claude-code-assisted"]})
    page = _page(hub)
    for wanted in (
        "Merged", "67.8 % &lt;assisted&gt;", "<summary>More</summary>", '<td align="right">20</td>',
        "claude-code-assisted", "attribution-auditor[bot]", "Audit again", "a.py",
    ):  # fmt: skip
        assert wanted in page
    assert "marker" not in page
    assert "Add y" in _page(hub, "/")
    hub.sandbox.settle()
    form = {"run": str(number), "identifier": "audit_again"}
    requests.post(hub.sandbox.web_url + "/acme/app/pull/1", data=form, timeout=60)
    requests.post(hub.sandbox.web_url + "/acme/app/pull/1", data={"run": number}, timeout=60)
    assert hub.receiver.events[-2:] == ["check_run.requested_action", "check_run.rerequested"]


@pytest.mark.parametrize(
    ("markdown", "forbidden"),
    [
        ("<script>alert(1)</script>after", "alert"),
        ("<img src=x onerror=alert(1)>", "onerror"),
        ("[x](javascript:alert(1))", "href"),
        ('<a href="JaVaScRiPt:alert(1)">x</a>', "alert"),
        ("<iframe src='https://example.test'></iframe>", "iframe"),
        ("<div style='position:fixed'>x</div>", "style"),
        ("<!-- hidden -->", "hidden"),
        ("<svg><style>x</style></svg>", "svg"),
    ],
)
def test_markup_is_made_harmless(markdown: str, forbidden: str) -> None:
    assert forbidden not in to_html(markdown)


def test_open_tags_are_closed() -> None:
    assert to_html("<details><b>x") == "<details><b>x</b></details>"


def test_a_manifest_becomes_an_app(hub: Hub) -> None:
    manifest = {
        "name": "Attribution Auditor (acme)",
        "url": "https://example.test",
        "redirect_url": "http://127.0.0.1:9/setup?x=1",
        "hook_attributes": {"url": "https://auditor.example/webhook"},
        "default_permissions": {"pull_requests": "read"},
        "default_events": ["pull_request"],
    }
    url = f"{hub.sandbox.web_url}/organizations/acme/settings/apps/new?state=s1"
    answer = requests.post(
        url, data={"manifest": json.dumps(manifest)}, timeout=60, allow_redirects=False
    )
    assert answer.headers["Location"].startswith("http://127.0.0.1:9/setup?x=1&code=")
    assert answer.headers["Location"].endswith("&state=s1")
    code = answer.headers["Location"].split("code=")[1].split("&")[0]
    made = hub.ask("POST", f"/app-manifests/{code}/conversions").json()
    assert made["slug"] == "attribution-auditor-acme"
    assert made["pem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    # Its webhooks arrive where a proxy or a tunnel of the owner's leads.
    hub.sandbox.open_tunnel("https://auditor.example", hub.receiver.url.removesuffix("/webhook"))
    assert hub.sandbox.deliver_ping(hub.sandbox.world.apps[made["id"]]).status == "OK"
    assert hub.ask("POST", f"/app-manifests/{code}/conversions").status_code == 404
