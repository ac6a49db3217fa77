"""Whose usage a name is: an organization's owners map names that senders claim to people.

A claim is never taken for an account (docs/usage-identities.md). A name of which nobody is sure
stays one: its usage counts in the totals, and for no team.
"""

from collections.abc import Iterator, Mapping, Sequence

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ghapp.attribution.model import Struct
from ghapp.reports.words import counted
from ghapp.store import IdentityMapping, Installation, KnownAccount, KnownIdentity, UnmappedUsage
from ghapp.summaries.tables import TableError
from ghapp.usage.identity_table import IdentityRow, read_identity_table
from ghapp.usage.sources import IdentityKind, UsageIdentity
from ghapp.web.access import asked, note_access, require_admin, require_viewer
from ghapp.web.current import services

PATH = "/organizations/<organization>/usage/identities"
ROWS = 200
"""Names that the page lists of each kind; the table has all."""
MOST_BYTES = 400_000
"""Bytes of a table: it comes back in a field of a form, which Flask limits."""
KINDS = {
    IdentityKind.EMAIL: "e-mail",
    IdentityKind.ACCOUNT_UUID: "account of the agent's vendor",
    IdentityKind.END_USER: "name given by your machines",
    IdentityKind.TOOL_INSTALLATION: "installation of a tool",
    IdentityKind.API_KEY: "key of a vendor's API",
}

usage_identities = Blueprint("usage_identities", __name__)


class ChangedMapping(Struct, frozen=True):
    """What a row of a table changes."""

    identity: UsageIdentity
    before: str | None
    """A login; ``None``: nobody's."""
    after: str | None


class TableCheck(Struct, frozen=True):
    """What a table would do: its changes, or what is wrong with it."""

    text: str
    changes: tuple[ChangedMapping, ...] = ()
    problems: tuple[str, ...] = ()


@usage_identities.get(PATH)
def identities(organization: str) -> str:
    """Show whom senders named, those that nobody mapped first."""
    installation = require_admin(organization)
    note_access("usage identities", detail=installation.account)
    return _page(installation)


@usage_identities.post(PATH)
def map_one(organization: str) -> Response:
    """Map one name to a person, or to nobody again where the login is empty."""
    installation = require_admin(organization)
    number, login = request.form.get("identity", ""), request.form.get("login", "").strip()
    known = {str(one.id): one for one in _mappable(installation)}.get(number)
    if known is None:
        abort(404, "the organization has no such name to be mapped")
    accounts = services.store.known_accounts.named([login] if login else [])
    row = IdentityRow(UsageIdentity(known.kind, known.value), login or None)
    if unknown := list(_unknown([row], accounts)):
        abort(400, unknown[0])
    _map(installation, [row], accounts)
    return redirect(_address(installation), 303)


@usage_identities.post(f"{PATH}/table")
def map_table(organization: str) -> Response:
    """Say what a table changes, or make all of its changes; none of them where any is wrong."""
    installation = require_admin(organization)
    text = _text()
    try:
        rows = read_identity_table(text)
    except TableError as error:
        return _refused(installation, TableCheck(text, problems=error.problems))
    accounts = services.store.known_accounts.named(one.login for one in rows if one.login)
    if unknown := tuple(_unknown(rows, accounts)):
        return _refused(installation, TableCheck(text, problems=unknown))
    changes = tuple(_changes(installation, rows, accounts))
    if request.form.get("action") != "import":
        return Response(_page(installation, TableCheck(text, changes)), content_type=HTML)
    changed = {one.identity for one in changes}
    _map(installation, [one for one in rows if one.identity in changed], accounts)
    return redirect(_address(installation), 303)


HTML = "text/html; charset=utf-8"


def _text() -> str:
    """Return the table of the form: a file if there is one, or what was pasted."""
    file = request.files.get("file")
    raw = file.read(MOST_BYTES + 1) if file else request.form.get("table", "").encode()
    if len(raw) > MOST_BYTES:
        abort(413, f"the table has more than {MOST_BYTES} bytes: send it in parts")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        abort(400, f"the table is not UTF-8 (byte {error.start}): save it as CSV UTF-8")


def _refused(installation: Installation, check: TableCheck) -> Response:
    return Response(_page(installation, check), 400, content_type=HTML)


def _map(
    installation: Installation, rows: Sequence[IdentityRow], accounts: Mapping[str, KnownAccount]
) -> None:
    mappings = [_mapping(one, accounts) for one in rows]
    what = counted(len(mappings), "identity").replace("identitys", "identities")
    note_access("usage mapped", detail=f"{what} of {installation.account}")
    services.store.usage.map(
        installation.id, mappings, by=require_viewer().login, now=services.clock()
    )


def _mapping(row: IdentityRow, accounts: Mapping[str, KnownAccount]) -> IdentityMapping:
    account = accounts[row.login.lower()] if row.login else None
    if account is None:
        return IdentityMapping(row.identity, None, None)
    return IdentityMapping(row.identity, account.id, account.login)


def _unknown(rows: Sequence[IdentityRow], accounts: Mapping[str, KnownAccount]) -> Iterator[str]:
    for login in sorted({one.login for one in rows if one.login}):
        if login.lower() not in accounts:
            yield (
                f"{login!r} is nobody whom this app knows: known is who has signed in, enrolled a "
                "machine, or written a pull request that was merged"
            )


def _changes(
    installation: Installation, rows: Sequence[IdentityRow], accounts: Mapping[str, KnownAccount]
) -> Iterator[ChangedMapping]:
    known = {UsageIdentity(one.kind, one.value): one for one in _mappable(installation)}
    for row in rows:
        before, after = known.get(row.identity), _mapping(row, accounts)
        if (before.account_id if before else None) != after.account_id:
            yield ChangedMapping(row.identity, before.login if before else None, after.login)


def _mappable(installation: Installation) -> list[KnownIdentity]:
    found = services.store.usage.identities(installation.id)
    return [one for one in found if one.kind is not IdentityKind.ACCOUNT]


def _page(installation: Installation, check: TableCheck | None = None) -> str:
    found = _mappable(installation)
    used = services.store.usage.unmapped(installation.id)
    unmapped = [one for one in found if one.account_id is None]
    unmapped.sort(key=lambda one: (-_days(used.get(one.id)), one.kind, one.value))
    mapped = [one for one in found if one.account_id is not None]
    viewer = require_viewer()
    return render_template(
        "usage_identities.html",
        account=installation.account,
        unmapped=unmapped,
        mapped=mapped,
        most=ROWS,
        used=used,
        kinds=KINDS,
        check=check,
        tells_emails=asked(lambda readers: readers.tells_emails(viewer.person)),
    )


def _days(used: UnmappedUsage | None) -> int:
    return used.days if used else 0


def _address(installation: Installation) -> str:
    return url_for("usage_identities.identities", organization=installation.account)
