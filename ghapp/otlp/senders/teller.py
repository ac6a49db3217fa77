"""Who told something, from the attributes that all senders use alike."""

from ghapp.otlp.nouns import TelemetryFacts
from ghapp.otlp.told import IdentityClaims, TelemetrySource, TelemetryTeller


def teller(
    facts: TelemetryFacts,
    source: TelemetrySource,
    agent: str,
    *,
    version: str | None,
    agent_session: str | None,
) -> TelemetryTeller:
    """Return who told something."""
    address = facts.text("vcs.repository.url.full")
    return TelemetryTeller(
        source=source,
        agent=agent,
        agent_version=version,
        agent_session=agent_session,
        claims=IdentityClaims(
            email=facts.text("user.email"),
            account=facts.text("user.account_uuid", "user.account_id"),
            installation=facts.text("installation.id", "user.id"),
            person=facts.text("enduser.id"),
            login=facts.text("github.login"),
        ),
        repository=address and _repository(address),
    )


def _repository(address: str) -> str:
    """Return ``host/owner/name``.

    >>> _repository("https://github.com/Acme/app.git")
    'github.com/acme/app'
    """
    return address.partition("://")[2].lower().removesuffix(".git")
