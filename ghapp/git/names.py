"""Names by GitHub's own rules, and how a text goes into a request's path. It asks nobody."""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

# acme, ann-lee, ann_acme: an enterprise's own users have an underscore.
# https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})")
# shop.js: GitHub turns every other character into a hyphen when it makes a repository.
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NO_NAMES = frozenset({".", ".."})


class RepositoryName(NamedTuple):
    """Both parts of ``owner/name``; `parse` is the way to make one of a text from outside."""

    owner: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "RepositoryName | None":
        """Read ``owner/name``; ``None``: no repository on GitHub can have that name.

        >>> RepositoryName.parse("acme/shop.js")
        RepositoryName(owner='acme', name='shop.js')
        >>> RepositoryName.parse("x/../../installation/repositories"), RepositoryName.parse("x/..")
        (None, None)
        """
        owner, slash, name = text.partition("/")
        if not (slash and is_owner(owner) and is_name(name)):
            return None
        return cls(owner, name)


def is_owner(text: str) -> bool:
    """Say whether an account on GitHub can have that login."""
    return _OWNER.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Say whether a repository on GitHub can have that name, without its owner."""
    return _NAME.fullmatch(text) is not None and text not in _NO_NAMES


def segment(text: str) -> str:
    """Return a text quoted as one segment of a path: no slash, query or dots get through.

    >>> segment("../a b?c"), segment("..")
    ('..%2Fa%20b%3Fc', '%252E%252E')
    """
    # Two dots alone lead up, and requests undoes their quoting: quoted twice, they name nothing.
    # https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4
    return text.replace(".", "%252E") if text in _NO_NAMES else quote(text, safe="")


def quoted(path: str) -> str:
    """Return the path of a file quoted for the path of a request, slashes kept.

    >>> quoted("src/a b.py"), quoted("../x")
    ('src/a%20b.py', '%252E%252E/x')
    """
    return "/".join(map(segment, path.split("/")))


def in_path(full_name: str) -> str:
    """Return ``owner/name`` quoted as two segments of a path, whatever it is.

    >>> in_path("acme/shop.js"), in_path("x/../../installation")
    ('acme/shop.js', 'x/..%2F..%2Finstallation')
    """
    owner, _, name = full_name.partition("/")
    return f"{segment(owner)}/{segment(name)}"


def leads_up(path: str) -> bool:
    """Say whether a path has a segment of dots, as written or quoted.

    >>> leads_up("/repos/a/b/../c"), leads_up("/repos/a/%2e%2e"), leads_up("/repos/a/b.js")
    (True, True, False)
    """
    return not _NO_NAMES.isdisjoint(map(unquote, path.split("/")))
