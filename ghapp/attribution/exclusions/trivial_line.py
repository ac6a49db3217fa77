"""Lines that are blank, too short, or only punctuation. `normalize.is_effective` decides."""

from ghapp.attribution.normalize import is_effective

RULE_ID = "trivial_line"
SENTENCE = "blank lines, brackets and lines of up to 3 characters"


def excludes(_text: str, normalized: str, /) -> bool:
    """Exclude lines that anyone would type: ``}``, ``);``, ``end``."""
    return not is_effective(normalized)
