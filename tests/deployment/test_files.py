"""What an operator copies is well formed, hardened, and names only what there is."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from ghapp.serve.programs import GRACE, valkey
from ghapp.settings import VARIABLES
from ghapp.store import Lane
from tests.cases import TOP
from tests.test_docs import wrong
from workers.__main__ import FINISH_WITHIN

DEPLOY = TOP / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
DOCKERFILE = (TOP / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((TOP / "compose.yaml").read_text())
LONGEST_END = 1.5 * GRACE
"""Seconds in which `ghapp serve` has ended: its programs, and then Valkey."""


def named(path: Path) -> str:
    return path.name


# --- the image ------------------------------------------------------------------------------------


def test_the_image_is_small_and_its_user_is_not_root() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert stages == ["python:3.13-slim-bookworm"] * 2
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes -r /requirements.txt" in DOCKERFILE
    assert "HEALTHCHECK" in DOCKERFILE


def test_the_image_holds_all_that_the_program_reads() -> None:
    copied = {
        path
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for path in line.split()[:-1]
    }
    assert {path for path in copied if not (TOP / path).exists()} == set()
    project = (TOP / "pyproject.toml").read_text()
    included = re.findall(r'^"([\w./]+)" = "ghapp/', project, re.MULTILINE)
    assert included
    assert set(included) <= copied
    let_in = (TOP / ".dockerignore").read_text().split()
    assert {f"!{path}" for path in copied} <= set(let_in)


# --- compose --------------------------------------------------------------------------------------


def test_compose_is_as_its_schema_says() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema_rs.validator_for(schema).validate(COMPOSE)


def test_compose_runs_every_process_without_rights() -> None:
    ours = {name: one for name, one in COMPOSE["services"].items() if name not in {"db", "queue"}}
    workers = {f"worker-{lane}" for lane in Lane}
    assert set(ours) == {"migrate", "setup", "web", "scheduler", *workers}
    for one in ours.values():
        assert one["read_only"]
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert int(one["stop_grace_period"].removesuffix("s")) > LONGEST_END
        assert set(one["environment"]) <= set(VARIABLES)
        # Nothing is open to the network but what the proxy asks on this machine.
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ()))


def test_the_queue_of_compose_keeps_what_our_own_keeps(tmp_path: Path) -> None:
    own = valkey(tmp_path, tmp_path).command
    given = COMPOSE["services"]["queue"]["command"]
    for option in ("--appendonly", "--save", "--maxmemory-policy"):
        assert given[given.index(option) + 1] == own[own.index(option) + 1]


@pytest.mark.parametrize("name", [n for n in COMPOSE["services"] if n not in {"db", "queue"}])
def test_the_commands_of_compose_exist(name: str) -> None:
    one = COMPOSE["services"][name]
    if "entrypoint" not in one:
        assert wrong(shlex.join(["ghapp", *one["command"]])) is None


# --- systemd --------------------------------------------------------------------------------------

HARD = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictSUIDSGID": "yes",
    "CapabilityBoundingSet": "",
    "KillMode": "mixed",
    "User": "ghapp",
    "Restart": "always",
}


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read(path)
    return read


@pytest.mark.parametrize("path", UNITS, ids=named)
def test_a_unit_is_hardened_and_stops_in_order(path: Path) -> None:
    service = unit(path)["Service"]
    assert {name: service.get(name) for name in HARD} == HARD
    assert int(service["TimeoutStopSec"]) > LONGEST_END
    before = service.get("ExecStartPre", "")
    # Commands make no tables: whoever opens the door makes them, or `ghapp serve` itself.
    assert before.endswith("ghapp migrate") == (path.stem == "ghapp-web")
    command = shlex.split(service["ExecStart"].replace("%i", Lane.LIVE))
    program = Path(command[0]).name
    assert program in {"ghapp", "gunicorn"}
    if program == "ghapp":
        assert wrong(shlex.join(["ghapp", *command[1:]])) is None


def test_systemd_takes_the_units() -> None:
    program = shutil.which("systemd-analyze")
    if program is not None:
        done = subprocess.run(
            [program, "verify", *UNITS], capture_output=True, text=True, check=False
        )
        said = [line for line in done.stderr.splitlines() if "/deploy/systemd/" in line]
        # That /opt/ghapp is not there is no fault of theirs.
        assert [line for line in said if "is not executable" not in line] == []


# --- Kubernetes -----------------------------------------------------------------------------------


def documents() -> list[dict[str, Any]]:
    found = []
    for path in MANIFESTS:
        if path.name != "kustomization.yaml":
            found += list(yaml.safe_load_all(path.read_text()))
    return found


def pods() -> dict[str, dict[str, Any]]:
    kinds = {"Deployment", "Job"}
    return {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]
        for one in documents()
        if one["kind"] in kinds
    }


def test_kustomize_names_every_file() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert {*listed["resources"], "kustomization.yaml"} == {path.name for path in MANIFESTS}
    literals = [one for made in listed["configMapGenerator"] for one in made["literals"]]
    secrets = (DEPLOY / "kubernetes" / "secret.example.env").read_text()
    given = {one.partition("=")[0] for one in literals}
    given |= set(re.findall(r"^([A-Z_]+)=", secrets, re.MULTILINE))
    assert given <= set(VARIABLES)
    assert {"DATABASE_URL", "REDIS_URL", "GHAPP_ENCRYPTION_KEY", "GITHUB_APP_ID"} <= given


def test_there_is_a_worker_for_each_lane_and_all_that_the_issue_names() -> None:
    assert set(pods()) == {"web", "scheduler", "migrate", *(f"worker-{lane}" for lane in Lane)}
    kinds = {one["kind"] for one in documents()}
    assert {"PodDisruptionBudget", "NetworkPolicy", "Service", "Ingress", "Job"} <= kinds
    (container,) = pods()["web"]["containers"]
    probes = [container[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe")]
    assert probes == ["/healthz", "/readyz"]


@pytest.mark.parametrize("name", pods())
def test_a_pod_has_no_rights_and_time_to_end(name: str) -> None:
    pod = pods()[name]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["terminationGracePeriodSeconds"] > FINISH_WITHIN + GRACE
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"]
    if "args" in container:
        assert wrong(shlex.join(["ghapp", *container["args"]])) is None


def test_kustomize_builds_it(tmp_path: Path) -> None:
    program = shutil.which("kubectl")
    if program is not None:
        shutil.copytree(DEPLOY / "kubernetes", tmp_path / "k")
        (tmp_path / "k" / "secret.example.env").rename(tmp_path / "k" / "secret.env")
        done = subprocess.run(
            [program, "kustomize", tmp_path / "k"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert len(list(yaml.safe_load_all(done.stdout))) == len(documents()) + 2


# --- proxies and the page -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "buffers", "size"),
    [
        ("nginx.conf", "proxy_request_buffering on;", "client_max_body_size 26m;"),
        ("Caddyfile", "request_buffers 26MiB", "max_size 26MB"),
    ],
)
def test_a_proxy_reads_a_request_whole_and_lets_the_largest_delivery_in(
    name: str, buffers: str, size: str
) -> None:
    text = (DEPLOY / name).read_text()
    assert buffers in text
    assert size in text
    assert text.count("{") == text.count("}")
    assert "X-Forwarded-Prefix" in text


PAGE = (TOP / "docs" / "deployment.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: str(one).splitlines()[0][:40])
def test_a_block_of_the_page_can_be_run_as_it_stands(block: str) -> None:
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    paths = [path for path in re.findall(r"\bdeploy/[\w./@-]+", block) if "secret.env" not in path]
    assert {path for path in paths if not (TOP / path).exists()} == set()


def test_the_page_promises_no_end_that_the_program_does_not_keep() -> None:
    assert f"ends within {GRACE:.0f} seconds" in PAGE
    assert f"started within {LONGEST_END:.0f}" in PAGE
