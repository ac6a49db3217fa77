"""GitHub's own limits as the stand-in enforces them, in one place; it enforces none itself."""

from dataclasses import dataclass

JWT_SECONDS = 600
"""The longest that an app's JWT may still be valid."""
TOKEN_SECONDS = 3600
"""How long an installation token lives."""
USER_TOKEN_SECONDS = 8 * 3600
"""How long a person's token lives."""
REFRESH_SECONDS = 184 * 24 * 3600
"""How long the token that renews it lives."""
LOGIN_CODE_SECONDS = 600
"""How long the code of a sign-in can be redeemed."""
MANIFEST_CODE_SECONDS = 3600
"""How long a manifest's code can be redeemed."""
REDELIVERY_SECONDS = 3 * 24 * 3600
"""How long deliveries are listed and can be sent again (github.com)."""
DELIVERY_TIMEOUT_SECONDS = 10.0
"""An answer to a webhook that takes longer is a failed delivery."""
PAYLOAD_BYTES = 25 * 1024 * 1024
"""Larger events are not sent at all."""

PAGE = 100
"""Most items a page."""
TOKEN_REPOSITORIES = 500
"""Most repositories that a token can be narrowed to by name or id."""

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
    """The limits that a test may want smaller, because reaching the real ones is slow."""

    pull_files: int = 3_000
    """Most files that the files endpoint lists over all its pages."""
    compare_files: int = 300
    compare_commits: int = 250
    pull_commits: int = 250
    diff_files: int = 300
    """Above this the diff media type is refused with 406."""
    diff_lines: int = 20_000
    diff_bytes: int = 1_000_000
    """A pull request's patches together; files after it are listed without patch."""
    patch_lines: int = 20_000
    """A single file's diff above this is listed without patch."""
    patch_bytes: int = 500_000
    contents_bytes: int = 1_000_000
    """Files above this come without content, with encoding ``none``, unless asked for raw."""
    raw_bytes: int = 100_000_000
    requests_an_hour: int = 5_000
    content_writes_a_minute: int | None = None
    """The secondary limit on content; ``None``: not enforced. GitHub's own figure is 80."""
