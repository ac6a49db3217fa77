"""Find a policy by name or file, and compare two policies.

A policy file is read completely or refused, with the member and what to do about it.
"""

from pathlib import Path
from typing import Any

import msgspec

from ghapp.attribution.model import Struct
from ghapp.attribution.policy import ID, LARGEST_REWRITE, LONGEST_WINDOW, POLICIES, Policy

YAML = (".yml", ".yaml")
SUFFIXES = (".toml", ".json", *YAML)
"""The endings of a policy file's name; the ending tells the format."""


class PolicyError(ValueError):
    """No policy has that name, or its file holds no valid policy."""


class PolicyDifference(Struct, frozen=True):
    """One member in which two policies differ."""

    member: str
    before: Any
    after: Any


def find(name: str) -> Policy:
    """Return a built-in policy by its id, or a policy file's by its path.

    Raises `PolicyError`.
    """
    if name in POLICIES:
        return POLICIES[name]
    path = Path(name)
    if path.suffix in SUFFIXES:
        return read(path)
    raise PolicyError(
        f"there is no policy {name!r}; choose {' or '.join(POLICIES)}, "
        f"or give a file that ends in {', '.join(SUFFIXES)}"
    )


def read(path: Path) -> Policy:
    """Return the policy in a file; members that it leaves out are as in ``claude-code-v1``.

    A YAML file is a repository's own policy; its rules are used. Raises `PolicyError`.
    """
    # Most audits name a built-in policy; these parsers take a tenth of the time of a small one.
    import tomllib  # noqa: PLC0415 - see above

    from ghapp.policy.file import PolicyFileError  # noqa: PLC0415 - see above
    from ghapp.policy.file import read as read_policy_file  # noqa: PLC0415 - see above

    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix in YAML:
            return read_policy_file(text).rules
        given = tomllib.loads(text) if path.suffix == ".toml" else msgspec.json.decode(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PolicyError(f"{path}: {reason}; give a file of TOML, JSON or YAML") from error
    except PolicyFileError as error:
        raise PolicyError(f"{path}, {error}") from error
    except (tomllib.TOMLDecodeError, msgspec.DecodeError) as error:
        raise PolicyError(
            f"{path}: {error}; write it as YAML (.yml), TOML (.toml) or JSON (.json)"
        ) from error
    return from_mapping(given, str(path))


def from_mapping(given: Any, where: str) -> Policy:
    """Return the policy in a mapping; messages call the mapping ``where``.

    Raises `PolicyError`.
    """
    known = Policy.__struct_fields__
    if not isinstance(given, dict):
        raise PolicyError(f"{where}: not a mapping; it needs members such as {', '.join(known)}")
    for member in given:
        if member not in known:
            raise PolicyError(f"{where}: unknown member {member!r}; known are {', '.join(known)}")
    if "id" not in given:
        raise PolicyError(f'{where}: no id; name the policy, such as id = "acme-v1"')
    try:
        policy = msgspec.convert(given, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{where}: {error}") from error
    if problem := _problem(policy):
        raise PolicyError(f"{where}: {problem}")
    return policy


def _problem(policy: Policy) -> str | None:
    """Return what is wrong with a policy's values; ``None``: nothing."""
    if not ID.fullmatch(policy.id):
        return f"id {policy.id!r}; use up to 64 lower-case letters, digits and + . _ -"
    if policy.id in POLICIES and policy != POLICIES[policy.id]:
        return (
            f"id {policy.id!r} is a built-in policy's; a change is a new policy: choose another id"
        )
    for member in ("window_before_days", "window_after_days"):
        days = getattr(policy, member)
        if not 0 <= days <= LONGEST_WINDOW:
            return f"{member} is {days}; use 0 to {LONGEST_WINDOW} days"
    if not 0 <= policy.rewrite_limit <= LARGEST_REWRITE:
        return f"rewrite_limit is {policy.rewrite_limit}; use 0 to {LARGEST_REWRITE}"
    return None


def differences(one: Policy, other: Policy) -> tuple[PolicyDifference, ...]:
    """Return the members in which two policies differ, the id included, in order."""
    return tuple(
        PolicyDifference(member=member, before=getattr(one, member), after=getattr(other, member))
        for member in Policy.__struct_fields__
        if getattr(one, member) != getattr(other, member)
    )
