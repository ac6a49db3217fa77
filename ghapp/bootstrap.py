"""Settings become the objects that do I/O; concrete classes are named here and nowhere else.

Nothing connects on import, nor when it is built: the database and Redis are reached at the
first question, GitHub at the first request.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property, partial

import redis

from ghapp.attribution.codebook import Codebook, FingerprintCodebook
from ghapp.attribution.model import Change, Edit, Evidence, LineFingerprint
from ghapp.attribution.policy import Policy
from ghapp.attribution.rekey import rekeyed
from ghapp.audit import How, Outcome, Publish, Ref, audit_pull_request
from ghapp.carried import Carried
from ghapp.carry import Keeping, carry
from ghapp.collect import AsFingerprints, Encode, as_text
from ghapp.compliance import Pulled, Source, pull
from ghapp.github.answers import Gone, Refused, Rejected
from ghapp.github.app_auth import AppAuth, AppIdentity
from ghapp.github.client import GitHub, Pauses
from ghapp.github.pacing import Allowance, Pace
from ghapp.github.pull_requests import PullRequest, policy_text
from ghapp.github.token_cache import RedisTokens
from ghapp.github.user_access import UserAccess
from ghapp.github.user_auth import SignIn
from ghapp.kept_pulls import KeptPulls
from ghapp.keys import EvidenceKeys
from ghapp.log import configure
from ghapp.outgoing import MailServer
from ghapp.policy.in_force import PolicyFile
from ghapp.publishers.registry import publish
from ghapp.queue.enqueue import RedisQueue, connect
from ghapp.readers import Readers
from ghapp.settings import AppCredentials, Settings, SettingsError
from ghapp.signing import Signer
from ghapp.store import Installation, Store, key_id
from ghapp.store.summaries import Summaries
from ghapp.summaries.selection import Naming
from ghapp.team_sources import Fetched, Sources, fetch_teams
from ghapp.uploaders import Uploaders
from ghapp.weekly import Letters


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """Everything a door needs. Safe over forks; one for each process."""

    settings: Settings
    store: Store
    queue: RedisQueue
    publish: Publish = publish
    policy: Policy | None = None
    """One policy for all; ``None``: each repository's own."""
    clock: Callable[[], datetime] = field(default=utc_now)
    sleep: Callable[[float], None] = field(default=time.sleep)

    @property
    def app(self) -> AppCredentials:
        """Return the app's credentials; raises `SettingsError` where there are none."""
        if self.settings.app is None:
            raise SettingsError(["GITHUB_APP_ID is not set: register the app with `ghapp serve`"])
        return self.settings.app

    @property
    def app_id(self) -> int:
        """Return the app's number."""
        return self.app.app_id

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the webhook secrets that are valid now."""
        return self.app.webhook_secrets

    @property
    def how(self) -> How:
        """Return how audits are made here."""
        return How(
            policy=self.policy,
            organization_policy=self.organization_policy,
            publish=self.publish,
            book=self.book,
            comparable=self.comparable,
            git_cache=self.settings.data_dir / "git",
            carry=self.carry,
            witness=self.signer.witness,
        )

    def carry(self, ref: Ref, pull: PullRequest, github: GitHub) -> Carried:
        """Keep what a pull request's repository carries about it; return the rest."""
        keeping = Keeping(
            store=self.store,
            encode=partial(encoder, self.settings, self.store, ref.installation_id),
            git_cache=self.settings.data_dir / "git",
        )
        return carry(github, pull, keeping, now=self.clock())

    def organization_policy(self, ref: Ref, owner: str) -> PolicyFile | None:
        """Read the policy file of an organization's ``.github`` repository as it is now.

        ``None``: it has none, or the installation does not reach that repository.
        """
        shared = self.store.installations.find(f"{owner}/.github")
        if shared is None or shared.installation_id != ref.installation_id:
            return None
        github = self.github(ref.installation_id, shared.id, background=ref.background)
        try:
            text = policy_text(github)
        except (Gone, Refused, Rejected):
            return None
        finally:
            github.close()
        if text is None:
            return None
        name, now = shared.full_name, self.clock()
        return PolicyFile(repository_id=shared.id, repository=name, text=text, as_of=now)

    @cached_property
    def kept_pulls(self) -> KeptPulls:
        """Return what replays have fetched before."""
        return KeptPulls(self.settings.data_dir, self.settings.encryption_key)

    @cached_property
    def signer(self) -> Signer:
        """Return what signs saved audits."""
        return Signer(self.store, self.settings.encryption_key)

    def book(self, installation_id: int, evidence: Evidence) -> Codebook:
        """Return how an audit's lines are compared: by tokens where some are fingerprints."""
        if not any(map(_is_fingerprinted, evidence.edits)):
            return Codebook()
        key = self.keys.present(installation_id, now=self.clock())
        return FingerprintCodebook(key.fingerprinter)

    def comparable(self, ref: Ref, evidence: Evidence, change: Change) -> Evidence:
        """Return evidence as `book` can compare it: all fingerprints as of the key in use."""
        if not any(map(_is_fingerprinted, evidence.edits)):
            return evidence
        present = self.keys.present(ref.installation_id, now=self.clock())
        since = min(edit.at for edit in evidence.edits)
        until = max(edit.at for edit in evidence.edits)
        others = self.store.evidence.other_keys(ref.repository_id, since, until, present.id)
        if not others:
            return evidence
        first = key_id(ref.installation_id, 1)
        named = {edit_id: found or first for edit_id, found in others.items()}
        used = {name: self.keys.named(name) for name in set(named.values()) - {present.id}}
        old = {name: key.fingerprinter for name, key in used.items() if key is not None}
        return rekeyed(evidence, change, named, old, present.fingerprinter)

    @cached_property
    def summaries(self) -> Summaries:
        """Return the questions about many audits, with people named as the settings say."""
        naming = Naming(names=self.settings.names, key=self.settings.encryption_key)
        return Summaries(self.store.database, naming)

    @cached_property
    def keys(self) -> EvidenceKeys:
        """Return the keys of fingerprints."""
        return EvidenceKeys(self.store, self.settings.encryption_key)

    @cached_property
    def auth(self) -> AppAuth:
        """Return who the app is to GitHub; its tokens are shared through Redis, encrypted."""
        key = self.app.private_key
        # Quick, because a job that waits for Redis holds up all others; GitHub is asked instead.
        connection = connect_queue(self.settings, quick=True)
        tokens = RedisTokens(connection, key.encode(), self.clock)
        identity = AppIdentity(
            app_id=self.app.app_id,
            private_key=key,
            issuer=self.app.client_id,
            base_url=self.settings.api_url,
        )
        return AppAuth(identity, tokens=tokens, clock=self.clock, sleep=self.sleep)

    @cached_property
    def readers(self) -> Readers | None:
        """Return who reads here; ``None``: the app has no client secret, so nobody can sign in."""
        app, key = self.settings.app, self.settings.encryption_key
        if app is None or app.client_id is None or app.client_secret is None:
            return None
        cache = RedisTokens(connect_queue(self.settings, quick=True), key, self.clock)
        return Readers(
            store=self.store,
            sign_in=SignIn(app.client_id, app.client_secret, self.settings.web_url),
            access=UserAccess(self.settings.api_url, cache, self.clock),
            locks=cache,
            encryption_key=key,
            clock=self.clock,
            sleep=self.sleep,
        )

    @cached_property
    def uploaders(self) -> Uploaders | None:
        """Return who sends evidence; ``None``: no client id is set, so nobody can enroll."""
        app, key = self.settings.app, self.settings.encryption_key
        if app is None or app.client_id is None:
            return None
        cache = RedisTokens(connect_queue(self.settings, quick=True), key, self.clock)
        return Uploaders(
            store=self.store,
            keys=self.keys,
            access=UserAccess(self.settings.api_url, cache, self.clock),
            cache=cache,
            github=self.github,
            client_id=app.client_id,
            web_url=self.settings.web_url,
            encryption_key=key,
            clock=self.clock,
        )

    @cached_property
    def letters(self) -> Letters:
        """Return what sends weekly summaries; no person is named in them."""
        settings = self.settings
        is_set = settings.mail_url is not None and settings.mail_from is not None
        server = (
            MailServer(url=str(settings.mail_url), sender=str(settings.mail_from))
            if is_set
            else None
        )
        return Letters(
            store=self.store,
            summaries=self.summaries,
            encryption_key=settings.encryption_key,
            mail_server=server,
            private_webhooks=settings.private_webhooks,
            public_url=settings.public_url,
            clock=self.clock,
        )

    @cached_property
    def pace(self) -> Pace:
        """Return how fast installations are used; all workers share it through Redis."""
        allowance = Allowance(
            pause=self.settings.write_pause, writes_an_hour=self.settings.writes_per_hour
        )
        connection = connect_queue(self.settings, quick=True)
        return Pace(connection, allowance, self.clock, self.sleep)

    def github(
        self, installation_id: int, repository_id: int, *, background: bool = False
    ) -> GitHub:
        """Return GitHub for one repository; one for each job, closed by whoever asked."""
        turn = partial(self.pace.before_write, installation_id, background=background)
        return GitHub(
            self.auth,
            installation_id=installation_id,
            repository_id=repository_id,
            pauses=Pauses(sleep=self.sleep, before_write=turn),
        )

    def pull_sessions(self) -> Pulled | None:
        """Pull agent sessions from the Compliance API; ``None``: there is no key for it.

        Raises `ComplianceError` and `StoreError`.
        """
        source = self.compliance
        return None if source is None else pull(source, self.store, now=self.clock())

    @property
    def compliance(self) -> Source | None:
        """Whose agent sessions are pulled; ``None``: there is no key of the Compliance API."""
        opened = self.settings.compliance
        if opened is None:
            return None
        encode = partial(encoder, self.settings, self.store)
        return Source(url=opened.url, key=opened.key, account=opened.account, encode=encode)

    def fetch_teams(self, installation: Installation) -> Fetched:
        """Keep an organization's teams as GitHub has them; raises the errors of `answers`."""
        github = partial(self.github, installation.id)
        sources = Sources(auth=self.auth, github=github, store=self.store)
        return fetch_teams(installation, sources, now=self.clock())

    def audit(self, ref: Ref) -> Outcome:
        """Audit one merged pull request."""
        github = self.github(ref.installation_id, ref.repository_id, background=ref.background)
        try:
            return audit_pull_request(
                ref, self.how, github=github, store=self.store, now=self.clock()
            )
        finally:
            if github.headroom is not None:
                self.pace.note(ref.installation_id, github.headroom)
            github.close()


def build(settings: Settings, *, quick: bool = False) -> Services:
    """Return the services of one process; ``quick``: a request waits, so Redis may not dawdle.

    Raises `SettingsError` where no Redis is named, and `WrongDatabaseURL`.
    """
    return Services(
        settings=settings,
        store=Store.unmigrated(settings.database_url),
        queue=RedisQueue(connect_queue(settings, quick=quick)),
    )


def encoder(settings: Settings, store: Store, installation_id: int) -> Encode:
    """Return what is kept of an edit's lines in an installation, as the settings say.

    Raises `KeyLost`, and `LookupError` where the installation was never heard of.
    """
    if settings.evidence_encoding == "text":
        return as_text
    key = EvidenceKeys(store, settings.encryption_key).present(installation_id, now=utc_now())
    return AsFingerprints(key.fingerprinter, key.id)


def connect_queue(settings: Settings, *, quick: bool = False) -> redis.Redis:
    """Return a client of the settings' Redis or Valkey; it connects at its first command."""
    if settings.redis_url is None:
        problem = "REDIS_URL is not set: name a Redis, or let `ghapp serve` start one of its own"
        raise SettingsError([problem])
    return connect(settings.redis_url, quick=quick)


def _is_fingerprinted(edit: Edit) -> bool:
    lines = (line for hunk in edit.lines.hunks for line in (*hunk.own, *hunk.before, *hunk.after))
    return isinstance(next(lines, None), LineFingerprint)


@cache
def services() -> Services:
    """Return this process' services, made from its environment once."""
    settings = Settings.from_environment()
    configure(settings.log_level, hidden=settings.hidden)
    return build(settings)
