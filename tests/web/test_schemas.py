"""The schema of a repository's policy file, as editors fetch it."""

import jsonschema_rs
import pytest
import yaml
from flask.testing import FlaskClient


@pytest.fixture
def schema(client: FlaskClient) -> dict[str, object]:
    answer = client.get("/schemas/attribution.json")
    assert answer.content_type == "application/schema+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found: dict[str, object] = answer.get_json(force=True)
    return found


def test_it_is_a_valid_schema(schema: dict[str, object]) -> None:
    jsonschema_rs.meta.validate(schema)


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [("moved_blocks: true", True), ("moved_blocks: perhaps", False), ("moved_block: true", False)],
)
def test_it_tells_a_file_that_the_app_reads_from_one_that_it_refuses(
    schema: dict[str, object], text: str, *, is_valid: bool
) -> None:
    assert jsonschema_rs.is_valid(schema, yaml.safe_load(text)) is is_valid
