"""How a set of repositories splits into groups with common tallies and single repositories.

It counts nothing: `query` reads the parts and adds them up. Whatever the groups are, the sum is
the same; the better they fit, the fewer rows it reads.
"""

from collections import defaultdict

from sqlalchemy import Connection, select

from ghapp.attribution.model import Struct
from ghapp.store.id_sets import among
from ghapp.store.schema import tally_member

FEWEST = 2
"""Least number of selected repositories in a group: one alone is counted by itself."""


class GroupCover(Struct, frozen=True):
    """Groups, and single repositories to add and to subtract."""

    groups: tuple[int, ...]
    added: tuple[int, ...]
    taken: tuple[int, ...]
    """Members of the groups that are not selected."""


def cover(connection: Connection, repository_ids: tuple[int, ...]) -> GroupCover:
    """Split repositories into parts; use a group only if it saves at least half of the rows."""
    wanted = frozenset(repository_ids)
    groups: list[int] = []
    added, taken = set(wanted), set[int]()
    for group_id, members in _members(connection, repository_ids).items():
        inside, outside = members & wanted, members - wanted
        if len(inside) >= FEWEST and 2 * len(outside) <= len(inside):
            groups.append(group_id)
            added -= inside
            taken |= outside
    return GroupCover(tuple(groups), tuple(sorted(added)), tuple(sorted(taken)))


def _members(connection: Connection, repository_ids: tuple[int, ...]) -> dict[int, set[int]]:
    """Return all members of the groups that contain any of these repositories."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    if len(repository_ids) < FEWEST:
        return found
    columns = tally_member.c
    groups = select(columns.group_id).where(among(columns.repository_id, repository_ids))
    query = select(columns.group_id, columns.repository_id).where(columns.group_id.in_(groups))
    for group_id, repository_id in connection.execute(query):
        found[group_id].add(repository_id)
    return found
