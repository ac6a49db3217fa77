"""GitHub's limits; other modules enforce them.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/en/rest/checks/runs
"""

from dataclasses import dataclass

JWT_SECONDS = 600
"""Longest validity of an app's JWT."""
TOKEN_SECONDS = 3600
"""Lifetime of an installation token."""
USER_TOKEN_SECONDS = 8 * 3600
"""Lifetime of a person's token."""
REFRESH_SECONDS = 184 * 24 * 3600
"""Lifetime of a refresh token."""
LOGIN_CODE_SECONDS = 600
"""How long the code of a sign-in is valid."""
MANIFEST_CODE_SECONDS = 3600
"""How long the code of a manifest is valid."""
REDELIVERY_SECONDS = 3 * 24 * 3600
"""How long GitHub lists deliveries and can send them again."""
DELIVERY_TIMEOUT_SECONDS = 10.0
"""A webhook's receiver must answer within this time."""
PAYLOAD_BYTES = 25 * 1024 * 1024
"""GitHub does not send larger payloads."""

APP_NAME_CHARACTERS = 34
CALLBACK_URLS = 10
"""Most addresses to which an app may send people back after a sign-in."""

PAGE = 100
"""Most items on a page."""
TOKEN_REPOSITORIES = 500
"""Most repositories that a request for a token may name."""

OUTPUT_CHARACTERS = 65_535
"""Most characters of a check run's summary, and of its text."""
ANNOTATIONS_A_REQUEST = 50
ANNOTATION_MESSAGE_BYTES = 64 * 1024
ANNOTATION_TITLE_CHARACTERS = 255
ACTIONS = 3
ACTION_LENGTHS = {"label": 20, "description": 40, "identifier": 20}
COMMENT_CHARACTERS = 65_536
LABEL_NAME_CHARACTERS = 50
LABEL_DESCRIPTION_CHARACTERS = 100


@dataclass
class HubLimits:
    """Limits that a test may lower, because reaching the real ones is slow."""

    pull_files: int = 3_000
    """Most files that the files endpoint lists over all pages."""
    compare_files: int = 300
    compare_commits: int = 250
    pull_commits: int = 250
    diff_files: int = 300
    """Above this GitHub refuses the diff media type with 406."""
    diff_lines: int = 20_000
    diff_bytes: int = 1_000_000
    """All patches of a pull request together; later files have no patch."""
    patch_lines: int = 20_000
    """A file with a longer diff has no patch."""
    patch_bytes: int = 500_000
    contents_bytes: int = 1_000_000
    """Larger files have no content and the encoding ``none``, except as raw."""
    raw_bytes: int = 100_000_000
    requests_an_hour: int = 5_000
    content_writes_a_minute: int | None = None
    """The secondary limit on content; ``None``: no limit. GitHub's is 80."""
