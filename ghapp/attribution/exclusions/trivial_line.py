"""Lines that are blank, too short, or signs only. What is too short is ``normalize``'s to say."""

from ghapp.attribution.normalize import is_effective

RULE_ID = "trivial_line"
SENTENCE = "blank lines, brackets and lines of up to 3 characters"


def excludes(_text: str, normalized: str, /) -> bool:
    """Exclude what anyone would type: ``}``, ``);``, ``end``."""
    return not is_effective(normalized)
