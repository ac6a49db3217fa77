"""Which agent version and model made the edits that lines name. It reads no evidence."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from ghapp.attribution.candidates import CandidateEdits
from ghapp.attribution.model import EditSource, FileVerdict

NOT_RECORDED = ""
"""Stands for a model that no record names, where null cannot stand."""


def edit_sources(files: Iterable[FileVerdict], found: CandidateEdits) -> dict[str, EditSource]:
    """Return what made each edit that a line names, by the edit's id."""
    named = {line.edit for file in files for line in file.lines if line.edit is not None}
    tables = (found.usable, found.seen, found.outside_window, found.not_applied)
    commands = {
        edit.id: EditSource(agent_version=edit.agent_version, model=edit.model)
        for edit in found.beside()
        if edit.id in named
    }
    return commands | {
        edit.id: EditSource(agent_version=edit.agent_version, model=edit.model)
        for table in tables
        for edits in table.values()
        for edit in edits
        if edit.id in named
    }


def lines_by_model(
    files: Iterable[FileVerdict], sources: dict[str, EditSource]
) -> dict[str, dict[str, int]]:
    """Return the attributed lines of each agent by model; `NOT_RECORDED` stands for unknown."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    edits = Counter(
        [(line.agent, line.edit) for file in files for line in file.lines if line.attributed]
    )
    for (agent, edit), lines in edits.items():
        if agent and edit is not None:
            counts[agent][sources[edit].model or NOT_RECORDED] += lines
    return {agent: dict(models) for agent, models in counts.items()}
