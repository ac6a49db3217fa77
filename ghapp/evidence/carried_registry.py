"""The sources of evidence that repositories carry, by name. It reads no evidence."""

from ghapp.evidence import agent_trace, aider, declarations, entire, git_ai_notes
from ghapp.evidence.carried import CarriedSource

_KNOWN: tuple[CarriedSource, ...] = (entire, git_ai_notes, agent_trace, aider, declarations)

CARRIED: dict[str, CarriedSource] = {source.NAME: source for source in _KNOWN}
