"""Why a point or a record of a request is not kept: one word each, and one sentence for all.

A refusal is a fault of what was sent, and is told to the sender. What is fine but says nothing
about usage, such as the length of a tool's run, is left out and not told.
"""

from collections import Counter
from enum import StrEnum


class RefusalReason(StrEnum):
    """Why one data point or log record is refused."""

    UNKNOWN_METRIC = "unknown_metric"
    UNKNOWN_EVENT = "unknown_event"
    UNKNOWN_SENDER = "unknown_sender"
    WRONG_KIND = "wrong_kind"
    NOT_MONOTONIC = "not_monotonic"
    WRONG_TEMPORALITY = "wrong_temporality"
    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    FRACTIONAL = "fractional"
    TOO_LARGE = "too_large"
    WRONG_TIME = "wrong_time"
    TOO_MANY_ATTRIBUTES = "too_many_attributes"
    INCOMPLETE = "incomplete"
    DOES_NOT_ADD_UP = "does_not_add_up"
    OUT_OF_ORDER = "out_of_order"
    NOBODY = "nobody"


WORDS = {
    RefusalReason.UNKNOWN_METRIC: "of a metric that no known agent sends",
    RefusalReason.UNKNOWN_EVENT: "of an event that no known agent sends",
    RefusalReason.UNKNOWN_SENDER: "of a known name from a sender that is none of its agents",
    RefusalReason.WRONG_KIND: "of another kind than the metric (a sum, or a histogram)",
    RefusalReason.NOT_MONOTONIC: "of a sum that may fall",
    RefusalReason.WRONG_TEMPORALITY: "neither delta nor cumulative",
    RefusalReason.NOT_A_NUMBER: "without a number",
    RefusalReason.NEGATIVE: "negative",
    RefusalReason.FRACTIONAL: "not whole",
    RefusalReason.TOO_LARGE: "larger than 10^12",
    RefusalReason.WRONG_TIME: "before 2024, more than a day ahead, or ending before they start",
    RefusalReason.TOO_MANY_ATTRIBUTES: "with more than 128 attributes",
    RefusalReason.INCOMPLETE: "without an attribute that the number needs",
    RefusalReason.DOES_NOT_ADD_UP: "with parts larger than their whole",
    RefusalReason.OUT_OF_ORDER: "older than what was already counted of their series",
    RefusalReason.NOBODY: "that name nobody: set enduser.id, or use a person's ingest token",
}

Refusals = Counter[RefusalReason]
"""How many were refused, for each reason."""


def sentence(refused: Refusals, what: str) -> str:
    """Return what a sender is told, such as "data points"; empty: nothing was refused.

    >>> sentence(Refusals({RefusalReason.NEGATIVE: 2}), "data points")
    '2 data points were refused: 2 negative. The rest was kept.'
    """
    if not refused.total():
        return ""
    parts = (f"{refused[one]} {WORDS[one]}" for one in RefusalReason if refused[one])
    return f"{refused.total()} {what} were refused: {'; '.join(parts)}. The rest was kept."
