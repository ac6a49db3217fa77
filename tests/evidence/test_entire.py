"""Where checkpoints are kept, and which of their files are transcripts."""

import pytest

from ghapp.evidence.entire import checkpoints, place, transcripts

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_a_message_names_each_checkpoint_once_in_order() -> None:
    trailers = f"Entire-Checkpoint: {ULID}\nEntire-Checkpoint: 4a3f7ea6273b\n"
    assert checkpoints(f"Fix\n\n{trailers}{trailers}") == (ULID, "4a3f7ea6273b")


@pytest.mark.parametrize(
    "line",
    [
        "see Entire-Checkpoint: 4a3f7ea6273b",
        "Entire-Checkpoint: 4a3f7ea6273",
        "Entire-Checkpoint: ../../etc/x",
        "Entire-Checkpoint: 4A3F7EA6273B",
        f"Entire-Checkpoint: {ULID.replace('A', 'I')}",
    ],
)
def test_what_names_no_checkpoint(line: str) -> None:
    assert checkpoints(line) == ()


def test_an_older_checkpoint_is_on_a_branch_and_a_newer_one_in_its_own_ref() -> None:
    old, new = place("4a3f7ea6273b"), place(ULID)
    assert old.whole_ref == "refs/heads/entire/checkpoints/v1"
    assert new.whole_ref == new.ref == f"refs/entire/checkpoints/AV/{ULID}"
    assert new.folder == ""


def test_the_parts_of_a_transcript_come_in_the_order_of_their_numbers() -> None:
    paths = [
        *("0/full.jsonl.010", "0/full.jsonl.002", "0/full.jsonl", "1/agent-a1.jsonl"),
        *("0/metadata.json", "0/full.jsonl.gz", "0/prompt.txt", "full.jsonl"),
    ]
    assert transcripts(paths) == {
        "0/full.jsonl": ("0/full.jsonl", "0/full.jsonl.002", "0/full.jsonl.010"),
        "1/agent-a1.jsonl": ("1/agent-a1.jsonl",),
        "full.jsonl": ("full.jsonl",),
    }
