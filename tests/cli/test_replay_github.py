"""``ghapp replay`` over GitHub: one command that is its own worker."""

from pathlib import Path

from click.testing import CliRunner

from ghapp.cli.main import main
from ghapp.demo.sandbox import Sandbox
from ghapp.store import Repository, Store
from tests.databases import make_sqlite

TEXT = "".join(f"total_{number} = price_of(customer={number})\n" for number in range(9))


def test_the_command_works_by_itself(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "hub") as sandbox:
        registered = sandbox.register_app()
        repository = sandbox.add_repository("acme", "app")
        installation = sandbox.install(registered.app, "acme")
        for number in range(3):
            pull = sandbox.open_pull(repository, files={f"{number}.py": TEXT})
            sandbox.merge(pull, method="merge")
        environment = {
            "GHAPP_DATA_DIR": str(tmp_path / "data"),
            "DATABASE_URL": make_sqlite(f"sqlite:///{tmp_path}/a.db"),
            "GITHUB_API_URL": sandbox.api_url,
            "GITHUB_APP_ID": str(registered.app.id),
            "GITHUB_PRIVATE_KEY": registered.private_key,
            "GITHUB_WEBHOOK_SECRETS": "4f0d" * 10,
        }

        def run(*arguments: str) -> tuple[int, str]:
            done = CliRunner().invoke(main, arguments, env=environment)
            return done.exit_code, done.output

        with Store.open(environment["DATABASE_URL"]) as store:
            seen = Repository(
                id=repository.id, owner="acme", name="app", installation_id=installation.id
            )
            store.installations.repository_seen(seen, now=pull.created_at)
        output = tmp_path / "out.jsonl"
        name = ("--repository", "acme/app", "--output", str(output))
        status, told = run("replay", *name)
        assert status == 0
        assert told.splitlines() == [
            "replay 1: 3 audit document(s)",
            "  3 no_evidence",
            "no share: no line counts where there is evidence",
        ]
        assert output.read_bytes().count(b'"verdict":"no_evidence"') == 3
        assert sandbox.writes() == []
        assert run("replay", *name, "--jobs", "2")[0] == 2
        assert run("replay", "--output", str(output))[0] == 2
        assert run("replay", "--repository", "acme/none", "--output", str(output))[0] == 2
        assert (
            run("replay", *name, "--publish", "checks", "--policy", "claude-code-v1+moved")[0] == 2
        )
        assert run("admin", "cancel-replay", "1")[0] == 1
