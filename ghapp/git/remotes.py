"""A git remote's address as ``host/owner/name``: one form for client and server.

It is pure. It knows neither git's settings nor which repositories exist.
Git's forms of addresses: https://git-scm.com/docs/git-clone#_git_urls
"""

import re
from collections.abc import Iterable

from ghapp.git.names import RepositoryName, is_name, is_owner

# https://github.com/acme/shop.git, ssh://git@ssh.github.com:443/acme/shop
_URL = re.compile(
    r"(?:https?|ssh|git|git\+ssh|ssh\+git)://(?:[^/?#\s]*@)?(?P<host>\[[0-9a-f:.]+\]|[^/?#:\s@]+)"
    r"(?::[0-9]{0,5})?/+(?P<path>[^/?#\s][^?#\s]*)",
    re.IGNORECASE,
)
_SCP = re.compile(r"(?:[^/@:\s]+@)?(?P<host>[^/@:\s]{2,}):(?!//)/*(?P<path>[^?#\s]+)")
"""``git@host:owner/name.git``. A host has at least two letters: ``C:/work`` is a directory."""
SAME_HOST = {"ssh.github.com": "github.com", "www.github.com": "github.com"}
"""GitHub's other host names. The first is for SSH over port 443:
https://docs.github.com/en/authentication/troubleshooting-ssh/using-ssh-over-the-https-port"""


def normalized(remote: str) -> str | None:
    """Return a remote's address as ``host/owner/name``, in lower case; ``None``: it has none.

    Addresses with https, ssh or git and in scp's form give the same result, without login,
    password and port. ``None`` stands for a directory, a path of more or fewer than two names,
    and names that GitHub does not allow.

    >>> normalized("git@github.com:Acme/Shop.git"), normalized("https://x:y@GitHub.com/acme/shop/")
    ('github.com/acme/shop', 'github.com/acme/shop')
    >>> normalized("/srv/git/shop.git"), normalized("C:/work/shop")
    (None, None)
    """
    found = _URL.fullmatch(remote.strip()) or _SCP.fullmatch(remote.strip())
    if found is None:
        return None
    host = found["host"].lower().rstrip(".")
    owner, slash, name = found["path"].strip("/").lower().partition("/")
    name = name.removesuffix(".git")
    if not (slash and is_owner(owner) and is_name(name)):
        return None
    return f"{SAME_HOST.get(host, host)}/{owner}/{name}"


def all_normalized(remotes: Iterable[str]) -> tuple[str, ...]:
    """Return the repositories that some remotes name, each once, in order."""
    return tuple(dict.fromkeys(one for remote in remotes if (one := normalized(remote))))


def on_host(remotes: Iterable[str], host: str) -> tuple[str, ...]:
    """Return ``owner/name`` of the normalized remotes on a host, each once, in order.

    A machine sends them, so whatever cannot be a name on GitHub is left out.
    """
    parted = (remote.lower().partition("/") for remote in remotes)
    named = (rest for at, _, rest in parted if at == host and RepositoryName.parse(rest))
    return tuple(dict.fromkeys(named))
