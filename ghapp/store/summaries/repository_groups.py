"""How some repositories are made up of groups whose tallies are kept as one, and of single ones.

It counts nothing: `reading` asks for the parts and puts them together. Whatever the groups are,
the sum is the same; the better they fit, the fewer rows are read.
"""

from collections import defaultdict

from sqlalchemy import Connection, select

from ghapp.attribution.model import Struct
from ghapp.store.id_sets import among
from ghapp.store.schema import tally_member

FEWEST = 2
"""Repositories of a group that have to be meant: one alone is counted by itself."""


class GroupCover(Struct, frozen=True):
    """The groups, and the single repositories that are added and taken off."""

    groups: tuple[int, ...]
    added: tuple[int, ...]
    taken: tuple[int, ...]
    """Members of the groups that are not meant."""


def cover(connection: Connection, repository_ids: tuple[int, ...]) -> GroupCover:
    """Return the parts that repositories are made up of; a group only where it saves half."""
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
    """Return all members of the groups in which some of these repositories are."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    if len(repository_ids) < FEWEST:
        return found
    columns = tally_member.c
    groups = select(columns.group_id).where(among(columns.repository_id, repository_ids))
    query = select(columns.group_id, columns.repository_id).where(columns.group_id.in_(groups))
    for group_id, repository_id in connection.execute(query):
        found[group_id].add(repository_id)
    return found
