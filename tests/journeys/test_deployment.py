"""docs/deployment.md on one machine: from nothing to the first audited pull request."""

import html
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from ghapp.demo.sandbox import Sandbox
from ghapp.serve.programs import child_environment
from tests.cases import TOP
from tests.cli.commands import ghapp_process
from tests.waiting import START_SECONDS, wait_until

PAGE = (TOP / "docs" / "deployment.md").read_text()
UNIT = (TOP / "deploy" / "systemd" / "ghapp.service").read_text()
PUBLIC = "https://audits.example.com"


def started_by_the_unit() -> list[str]:
    """Return the command of the unit that the page starts, on any free port."""
    (line,) = re.findall(r"^ExecStart=(.+)$", UNIT, re.MULTILINE)
    words = shlex.split(line)[1:]
    words[words.index("--port") + 1] = "0"
    return [sys.executable, "-m", "ghapp", *words]


@contextmanager
def serving(sandbox: Sandbox, root: Path) -> Iterator[Path]:
    """Run the unit's command with the settings of the page; yield what it prints."""
    said = root / "said"
    environment = {
        **child_environment({"PATH": os.environ["PATH"], "HOME": str(root)}),
        "GHAPP_DATA_DIR": str(root / "data"),
        "GHAPP_PROXIES": "1",
        "GITHUB_API_URL": sandbox.api_url,
        "GITHUB_WEB_URL": sandbox.web_url,
        "WEB_CONCURRENCY": "1",
        "PYTHONUNBUFFERED": "1",
    }
    with said.open("wb") as output:
        app = subprocess.Popen(
            started_by_the_unit(), env=environment, stdout=output, stderr=output, cwd=root
        )
    try:
        yield said
        app.send_signal(signal.SIGTERM)
        assert app.wait(START_SECONDS) == 0
    finally:
        app.kill()
        app.wait()


def found_in(said: Path, pattern: str) -> str:
    """Wait for a line; return what stands in its group."""
    found = wait_until(lambda: re.search(pattern, said.read_text()), pattern, 4 * START_SECONDS)
    assert found is not None
    return found[1]


def register(address: str) -> None:
    """Fill in the set-up page as a person does, and agree on GitHub's."""
    browser = requests.Session()
    wait_until(lambda: browser.get(f"{address}/healthz", timeout=60).ok, "the set-up page")
    form = {"name": "Our Auditor", "public_url": PUBLIC, "organization": "acme"}
    page = browser.post(f"{address}/setup", data=form, timeout=60).text
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', page)
    (manifest,) = re.findall(r'name="manifest" value="([^"]+)"', page)
    sent = {"manifest": html.unescape(manifest)}
    assert json.loads(sent["manifest"])["hook_attributes"]["url"].startswith(PUBLIC)
    agreed = browser.post(html.unescape(action), data=sent, timeout=60, allow_redirects=False)
    back = agreed.headers["Location"]
    assert parse_qs(urlsplit(back).query)["code"]
    assert "is registered" in browser.get(back, timeout=60).text


def commands() -> list[list[str]]:
    """Return the commands of the page's last step."""
    step = PAGE.split("## 4. ")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```sh\n(.*?)^```", step, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for line in block.splitlines()]


def test_the_page_leads_from_nothing_to_the_first_audited_pull_request(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "github") as sandbox, serving(sandbox, tmp_path) as said:
        address = found_in(said, r"(http://127\.0\.0\.1:\d+)/\?token=")
        register(address)
        found_in(said, r"Attribution Auditor is up at (\S+);")
        sandbox.open_tunnel(PUBLIC, address)

        (app,) = sandbox.world.apps.values()
        repository = sandbox.add_repository("acme", "shop", files={"a.py": "x = 1\n"})
        sandbox.deliver_installation(sandbox.install(app, "acme"), "created")
        pull = sandbox.open_pull(repository, files={"a.py": "x = 1\ny = 2\n"}, title="Add y")
        sandbox.merge(pull, method="squash")
        sandbox.deliver_closed(pull)
        run = wait_until(
            lambda: [one for one in sandbox.visible(pull).check_runs if one.conclusion],
            "the first audit",
            4 * START_SECONDS,
        )[0]
        assert run.name == "attribution"

        copy = tmp_path / "ghapp-first"
        results = {}
        for program, *arguments in commands():
            assert program == "ghapp"
            given = [str(copy) if one.startswith("/var/backups/") else one for one in arguments]
            done = ghapp_process(*given, cwd=tmp_path, HOME=str(tmp_path))
            results[arguments[0], arguments[-1]] = done
        doctor = results["doctor", "doctor"].stdout.decode()
        assert re.findall(r"^WRONG .*$", doctor, re.MULTILINE) == [], doctor
        assert "ok    app: runs as process" in doctor
        assert "ok    hook address: https://audits.example.com/webhooks/github" in doctor
        assert copy.stat().st_size > 0
        assert {one.returncode for one in results.values()} == {0}
        assert sandbox.violations == []
