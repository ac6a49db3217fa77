"""What tells an event once, if the sender repeats it in another request."""

from ghapp.otlp.nouns import LogEvent


def key_of(event: LogEvent, *attributes: str) -> str | None:
    """Return an event's own id, else its place in its process; ``None``: it has neither.

    Time alone is no key: several edits that are accepted at once have the same millisecond.
    """
    own, number = event.text(*attributes), event.count("event.sequence")
    if own is not None or number is None:
        return own
    # The number restarts with each process, so that it needs the time.
    return f"{event.text('session.id')}/{number}/{event.at}"


def failed(key: str | None) -> str | None:
    """Return the key of an accepted edit's failure, beside that of its decision."""
    return key and f"failed:{key}"
