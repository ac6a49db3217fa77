"""Turn settings into the objects that do I/O. Only this module names concrete classes.

Importing and building connect to nothing: the first query connects to the database or Redis, the
first request to GitHub.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property, partial

import redis

from ghapp.attribution.policy import Policy
from ghapp.audit import AuditContext, AuditRequest, PublishStep, audit_pull_request
from ghapp.auditing.kept_pulls import KeptPulls
from ghapp.ending import Ending
from ghapp.github.app_auth import AppAuth, AppIdentity
from ghapp.github.client import ClientPauses, GitHub
from ghapp.github.pacing import InstallationPace, WriteAllowance
from ghapp.github.pull_requests import PullRequest
from ghapp.github.token_cache import RedisTokens
from ghapp.github.user_access import UserAccess
from ghapp.github.user_auth import SignIn
from ghapp.ingest.carried import CarriedEvidence
from ghapp.ingest.carry import CarryTarget, carry
from ghapp.ingest.compliance import ComplianceSource, PullResult, pull
from ghapp.ingest.keep import EncodeLines, encoder
from ghapp.keys.comparing import LineComparison
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.log import configure
from ghapp.people.readers import PageReaders
from ghapp.people.uploaders import EvidenceUploaders
from ghapp.policy.in_force import PolicyFile, organization_file
from ghapp.publishers.plan import PublishingPlan, WriteKind, caught_up, needs
from ghapp.publishers.registry import publish
from ghapp.queue.enqueue import RedisQueue, connect
from ghapp.settings import AppCredentials, Settings, SettingsError
from ghapp.spend.allocation import PullRequestCost
from ghapp.spend.prices import packaged
from ghapp.store import Installation, LeftOut, Store
from ghapp.store.pricing import PriceBook
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.store.summaries.segments import SegmentQuestions
from ghapp.store.summaries.spend import SpendQuestions
from ghapp.store.summaries.usage import UsageQuestions
from ghapp.store.summaries.usage_sources import SourceQuestions
from ghapp.summaries.selection import PersonNaming
from ghapp.upkeep.outgoing import MailServer
from ghapp.upkeep.team_sources import TeamsFetched, TeamSources, fetch_teams
from ghapp.upkeep.vendor_pulls import VendorPulls
from ghapp.upkeep.weekly import WeeklySummaries


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """Everything that a door needs. One for each process; safe to fork."""

    settings: Settings
    store: Store
    queue: RedisQueue
    publish: PublishStep = publish
    policy: Policy | None = None
    """One policy for all repositories; ``None``: each repository's own."""
    clock: Callable[[], datetime] = field(default=utc_now)
    sleep: Callable[[float], None] = field(default=time.sleep)

    @property
    def app(self) -> AppCredentials:
        """Return the app's credentials. Raises `SettingsError` if there are none."""
        if self.settings.app is None:
            raise SettingsError(["GITHUB_APP_ID is not set: register the app with `ghapp serve`"])
        return self.settings.app

    @property
    def app_id(self) -> int:
        """Return the app's id."""
        return self.app.app_id

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the webhook secrets that are valid now: two during a rotation."""
        return self.app.webhook_secrets

    @property
    def audit_context(self) -> AuditContext:
        """Return how this process audits."""
        return AuditContext(
            policy=self.policy,
            organization_policy=self.organization_policy,
            publish=self.publish,
            plan=self.publishing_plan,
            comparison=self.comparison,
            git_cache=self.settings.data_dir / "git",
            carry=self.carry,
            cost=self.pull_cost,
            witness=self.signer.witness,
            public_url=self.settings.public_url,
        )

    def publishing_plan(self, installation_id: int) -> PublishingPlan:
        """Return what an installation has room to publish now."""

        @cache
        def needed() -> dict[WriteKind, int]:
            return needs(self.store.merge_rates.expected(installation_id, self.clock()))

        def written() -> dict[WriteKind, int] | None:
            found = self.pace.writes_of(installation_id, tuple(WriteKind))
            return None if found is None else {kind: found[kind] for kind in WriteKind}

        return PublishingPlan(
            writes_an_hour=self.settings.writes_per_hour,
            needed=needed,
            written=written,
            note=partial(self.pace.note_writes, installation_id),
        )

    def caught_up(self, left: LeftOut) -> str:
        """Say when what is left out will be made up for."""
        known = left.installation_id
        spare = None if known is None else self.publishing_plan(known).spare
        return caught_up(left.pulls, spare)

    def pull_cost(self, repository_id: int, number: int) -> PullRequestCost | None:
        """Return what is known now of a pull request's cost; ``None``: it has no audit."""
        estimate, now = self.settings.estimate, self.clock()
        found = self.spend.pull(repository_id, number, estimate, now=now)
        return None if found is None else found.whole

    def carry(
        self, request: AuditRequest, pull: PullRequest, github: GitHub, *, agent_commits: bool
    ) -> CarriedEvidence:
        """Store the evidence that a pull request's repository carries; return the rest."""
        keeping = CarryTarget(
            store=self.store,
            encode=partial(self.encoder, request.installation_id),
            git_cache=self.settings.data_dir / "git",
        )
        return carry(github, pull, keeping, now=self.clock(), agent_commits=agent_commits)

    def organization_policy(self, request: AuditRequest, owner: str) -> PolicyFile | None:
        """Read the policy file of an organization's ``.github`` repository as it is now."""
        installation_id = request.installation_id
        github = partial(self.github, installation_id, background=request.background)
        return organization_file(owner, installation_id, self.store, github, self.clock())

    @cached_property
    def kept_pulls(self) -> KeptPulls:
        """Return the pull requests that replays have fetched before."""
        return KeptPulls(self.settings.data_dir, self.settings.encryption_key)

    @cached_property
    def signer(self) -> RecordSigner:
        """Return the signer of saved audits."""
        return RecordSigner(self.store, self.settings.encryption_key)

    @cached_property
    def comparison(self) -> LineComparison:
        """Return what compares an audit's lines with its evidence."""
        return LineComparison(self.store, self.keys, self.clock)

    @cached_property
    def summaries(self) -> SummaryQuestions:
        """Return the queries over many audits; the settings decide how people are named."""
        naming = PersonNaming(names=self.settings.names, key=self.settings.encryption_key)
        return SummaryQuestions(self.store.database, naming)

    @cached_property
    def usage(self) -> UsageQuestions:
        """Return the queries over usage."""
        return UsageQuestions(self.store.database)

    @cached_property
    def segments(self) -> SegmentQuestions:
        """Return the queries over groups of people."""
        return SegmentQuestions(self.store.database, self.summaries.naming)

    @cached_property
    def spend(self) -> SpendQuestions:
        """Return the queries over spend; the settings decide how people are named."""
        return SpendQuestions(self.store.database, self.summaries.naming)

    @property
    def prices(self) -> PriceBook:
        """Return the prices of tokens that are in use."""
        return PriceBook(packaged(), self.settings.rate_card)

    @cached_property
    def usage_sources(self) -> SourceQuestions:
        """Return the queries over the sources of usage."""
        return SourceQuestions(self.store.database)

    @cached_property
    def keys(self) -> EvidenceKeys:
        """Return the keys of fingerprints."""
        return EvidenceKeys(self.store, self.settings.encryption_key)

    def encoder(self, installation_id: int) -> EncodeLines:
        """Return how an installation's lines are encoded; raises as `ghapp.ingest.keep` says."""
        encoding = self.settings.evidence_encoding
        return encoder(encoding, self.keys, installation_id, now=self.clock())

    @cached_property
    def auth(self) -> AppAuth:
        """Return the app's identity at GitHub; processes share its tokens in Redis, encrypted."""
        key = self.app.private_key
        # Quick: a job that waits for Redis holds up all others, so it asks GitHub instead.
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
    def readers(self) -> PageReaders | None:
        """Return who may read pages; ``None``: without a client secret nobody can sign in."""
        app, key = self.settings.app, self.settings.encryption_key
        if app is None or app.client_id is None or app.client_secret is None:
            return None
        cache = RedisTokens(connect_queue(self.settings, quick=True), key, self.clock)
        return PageReaders(
            store=self.store,
            sign_in=SignIn(app.client_id, app.client_secret, self.settings.web_url),
            access=UserAccess(self.settings.api_url, cache, self.clock),
            encryption_key=key,
            clock=self.clock,
            sleep=self.sleep,
        )

    @cached_property
    def uploaders(self) -> EvidenceUploaders | None:
        """Return who may send evidence; ``None``: without a client id nobody can enroll."""
        app, key = self.settings.app, self.settings.encryption_key
        if app is None or app.client_id is None:
            return None
        cache = RedisTokens(connect_queue(self.settings, quick=True), key, self.clock)
        return EvidenceUploaders(
            store=self.store,
            keys=self.keys,
            access=UserAccess(self.settings.api_url, cache, self.clock),
            cache=cache,
            auth=self.auth,
            client_id=app.client_id,
            web_url=self.settings.web_url,
            encryption_key=key,
            clock=self.clock,
        )

    @cached_property
    def weekly_summaries(self) -> WeeklySummaries:
        """Return the sender of weekly summaries, which name no person."""
        settings = self.settings
        is_set = settings.mail_url is not None and settings.mail_from is not None
        server = (
            MailServer(url=str(settings.mail_url), sender=str(settings.mail_from))
            if is_set
            else None
        )
        return WeeklySummaries(
            store=self.store,
            summaries=self.summaries,
            usage=self.usage,
            spend=self.spend,
            estimate=settings.estimate,
            encryption_key=settings.encryption_key,
            mail_server=server,
            private_webhooks=settings.private_webhooks,
            public_url=settings.public_url,
            clock=self.clock,
        )

    @cached_property
    def vendor_pulls(self) -> VendorPulls:
        """Return what reads the vendors of agents."""
        return VendorPulls(
            store=self.store,
            encryption_key=self.settings.encryption_key,
            github_api=self.settings.api_url,
            clock=self.clock,
        )

    @cached_property
    def pace(self) -> InstallationPace:
        """Return the pace of requests to GitHub, which all workers share through Redis."""
        allowance = WriteAllowance(
            pause=self.settings.write_pause, writes_an_hour=self.settings.writes_per_hour
        )
        connection = connect_queue(self.settings, quick=True)
        return InstallationPace(connection, allowance, self.clock, self.sleep)

    @contextmanager
    def github(
        self, installation_id: int, repository_id: int, *, background: bool = False
    ) -> Iterator[GitHub]:
        """Yield GitHub for one repository; afterwards note its rate limit and close it."""
        turn = partial(self.pace.before_write, installation_id, background=background)
        github = GitHub(
            self.auth,
            installation_id=installation_id,
            repository_id=repository_id,
            pauses=ClientPauses(
                sleep=self.sleep,
                before_write=turn,
                wrote=partial(self.pace.wrote, installation_id),
            ),
        )
        try:
            yield github
        finally:
            if github.headroom is not None:
                self.pace.note(installation_id, github.headroom)
            github.close()

    def pull_sessions(self) -> PullResult | None:
        """Pull agent sessions from the Compliance API; ``None``: no key is set.

        Raises `ComplianceError` and `StoreError`.
        """
        source = self.compliance
        return None if source is None else pull(source, self.store, now=self.clock())

    @property
    def compliance(self) -> ComplianceSource | None:
        """Return where agent sessions come from; ``None``: no key of the Compliance API is set."""
        opened = self.settings.compliance
        if opened is None:
            return None
        return ComplianceSource(
            url=opened.url, key=opened.key, account=opened.account, encode=self.encoder
        )

    def fetch_teams(self, installation: Installation) -> TeamsFetched:
        """Store an organization's teams as GitHub lists them. Raises the errors of `answers`."""
        github = partial(self.github, installation.id)
        sources = TeamSources(auth=self.auth, github=github, store=self.store)
        return fetch_teams(installation, sources, now=self.clock())

    def audit(self, request: AuditRequest) -> Ending:
        """Audit one merged pull request."""
        context, store, now = self.audit_context, self.store, self.clock()
        repository = (request.installation_id, request.repository_id)
        with self.github(*repository, background=request.background) as github:
            return audit_pull_request(request, context, github=github, store=store, now=now)


def build(settings: Settings, *, quick: bool = False) -> Services:
    """Return the services of one process; ``quick``: with short time limits for Redis.

    Raises `SettingsError` if no Redis is set, and `WrongDatabaseURL`.
    """
    return Services(
        settings=settings,
        store=Store.unmigrated(settings.database_url),
        queue=RedisQueue(connect_queue(settings, quick=quick)),
    )


def connect_queue(settings: Settings, *, quick: bool = False) -> redis.Redis:
    """Return a client of the configured Redis or Valkey; it connects at its first command."""
    if settings.redis_url is None:
        problem = "REDIS_URL is not set: name a Redis, or let `ghapp serve` start one of its own"
        raise SettingsError([problem])
    return connect(settings.redis_url, quick=quick)


@cache
def services() -> Services:
    """Return this process's services; the first call builds them from the environment."""
    settings = Settings.from_environment()
    configure(settings.log_level, hidden=settings.hidden)
    return build(settings)
