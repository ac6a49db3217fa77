"""Makes scenarios: repositories, commits, pull requests, merges, and what people do.

It changes the world and sends nothing; ``events`` sends the webhooks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ghapp.demo.sandbox.dispatch import delete_forks
from ghapp.demo.sandbox.git_backend import NEW, BareRepository, Content
from ghapp.demo.sandbox.manifest import OF_PEOPLE, supports
from ghapp.demo.sandbox.registration import RegisteredApp, register_app
from ghapp.demo.sandbox.state import (
    BY_GITHUB,
    WEB_FLOW,
    HubAccount,
    HubApp,
    HubComment,
    HubInstallation,
    HubLabel,
    HubPull,
    HubRepository,
    HubReview,
    HubTeam,
    UserToken,
    World,
)

PERMISSIONS = {
    "contents": "read",
    "pull_requests": "write",
    "checks": "write",
    "issues": "read",
}
"""The least that the app needs, besides ``metadata: read``, which every app has."""
EVENTS = ("pull_request", "issue_comment", "label", "push", "repository")
"""What an app hears by default, as far as its permissions let it."""
Files = Mapping[str, Content]


class BuilderError(ValueError):
    """A scenario is impossible; the message says what and why."""


@dataclass(frozen=True)
class _NewCommit:
    files: Files
    message: str
    author: str
    at: datetime
    committer: str | None = None
    """``None``: the author."""
    verified: bool = False


class HubBuilder:
    """Makes and changes the stand-in's data. Times default to the stand-in's clock.

    A login names a person; an unknown login creates one. Every method takes the world's lock.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    # --- apps and accounts --------------------------------------------------------------------

    def register_app(  # noqa: PLR0913 - an app has these parts
        self,
        name: str = "Attribution Auditor",
        *,
        owner: str = "acme",
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        permissions: Mapping[str, str] = PERMISSIONS,
        events: Sequence[str] | None = None,
        callback_urls: Sequence[str] = (),
    ) -> RegisteredApp:
        """Register an app and return it with its private key (PEM).

        Raises `RegistrationRefused` for permissions and events that GitHub refuses.
        """
        if events is None:
            events = [one for one in EVENTS if supports(permissions, one)]
        with self.world.lock:
            return register_app(
                self.world,
                name=name,
                owner=self.organization(owner),
                webhook_url=webhook_url,
                webhook_secret=webhook_secret,
                permissions=permissions,
                events=events,
                callback_urls=callback_urls,
            )

    def organization(self, login: str) -> HubAccount:
        """Return the organization with a login; create it if there is none."""
        with self.world.lock:
            return self.world.account(login, "Organization")

    def bot(self, login: str, number: int) -> HubAccount:
        """Return an app's bot by its login and its id at GitHub; create it if needed."""
        with self.world.lock:
            account = self.world.account(login, "Bot")
            account.id = number
            return account

    def user(self, login: str) -> HubAccount:
        """Return the person with a login; create them if there is none."""
        with self.world.lock:
            return self.world.account(login)

    def give_email(self, login: str, address: str, *, verified: bool = True) -> None:
        """Let a person have an e-mail address."""
        with self.world.lock:
            self.world.account(login).emails[address] = verified

    def user_token(self, login: str) -> str:
        """Return a token for requests as that person."""
        with self.world.lock:
            value = f"ghu_{login}{self.world.next_id('request'):016d}"
            self.world.user_tokens[value] = UserToken(value, self.world.account(login))
            return value

    def open_tunnel(self, public: str, local: str) -> None:
        """Answer deliveries to a public address on this machine, as a person's proxy does."""
        with self.world.lock:
            self.world.tunnels[public.rstrip("/")] = local.rstrip("/")

    def end_user_tokens(self, login: str) -> None:
        """Revoke all of a person's tokens, as when the person revokes an app's authorization."""
        with self.world.lock:
            for token in self.world.user_tokens.values():
                if token.account.login.lower() == login.lower():
                    token.revoked = True

    def sit_down(self, login: str, *, denies: bool = False) -> None:
        """Put this person at the browser from now on; ``denies``: they refuse every app."""
        with self.world.lock:
            self.world.browser_login, self.world.browser_denies = login, denies

    def add_member(self, organization: str, login: str, role: str = "member") -> None:
        """Make a person ``member``, ``admin`` or ``pending`` (invited) in an organization."""
        with self.world.lock:
            self.world.account(login)
            members = self.world.memberships.setdefault(organization.lower(), {})
            members[login.lower()] = role

    def remove_member(self, organization: str, login: str) -> None:
        """Remove a person from an organization."""
        with self.world.lock:
            self.world.memberships.get(organization.lower(), {}).pop(login.lower(), None)

    def set_team(
        self, organization: str, name: str, *people: str, privacy: str = "closed"
    ) -> HubTeam:
        """Give a team exactly these people; create it if there is none."""
        slug = name.lower().replace(" ", "-")
        with self.world.lock:
            teams = self.world.teams.setdefault(organization.lower(), {})
            number = teams[slug].id if slug in teams else self.world.next_id("team")
            teams[slug] = HubTeam(number, name, slug, privacy, [*map(self.world.account, people)])
            return teams[slug]

    def remove_team(self, organization: str, team: HubTeam) -> None:
        """Delete a team."""
        with self.world.lock:
            del self.world.teams[organization.lower()][team.slug]

    def install(
        self,
        app: HubApp,
        account: str,
        *,
        repositories: Sequence[HubRepository] | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> HubInstallation:
        """Install an app on an account, for all its repositories or for those given.

        ``permissions``: what the account has granted; less than the app asks for where it has
        not accepted a new permission yet. Raises `BuilderError` if it is more.
        """
        more = sorted(set(permissions or ()) - {*app.permissions, "metadata"})
        if more:
            raise BuilderError(f"the app does not ask for {', '.join(more)}")
        with self.world.lock:
            number = self.world.next_id("installation")
            installation = HubInstallation(
                id=number,
                app=app,
                account=self.world.account(account),
                permissions={
                    **{
                        name: level
                        for name, level in (permissions or app.permissions).items()
                        if name not in OF_PEOPLE
                    },
                    "metadata": "read",
                },
                events=list(app.events),
                created_at=self.world.now(),
                selection="all" if repositories is None else "selected",
                repository_ids={one.id for one in repositories or ()},
            )
            self.world.installations[number] = installation
            return installation

    def suspend(self, installation: HubInstallation) -> None:
        """Suspend an installation: GitHub refuses its tokens."""
        with self.world.lock:
            installation.suspended_at = self.world.now()

    def unsuspend(self, installation: HubInstallation) -> None:
        """End a suspension."""
        with self.world.lock:
            installation.suspended_at = None

    def uninstall(self, installation: HubInstallation) -> None:
        """Uninstall an app: it no longer sees anything."""
        with self.world.lock:
            installation.deleted = True

    # --- repositories -------------------------------------------------------------------------

    def add_repository(  # noqa: PLR0913 - a repository has these parts
        self,
        owner: str,
        name: str,
        *,
        files: Files | None = None,
        private: bool = True,
        default_branch: str = "main",
        at: datetime | None = None,
    ) -> HubRepository:
        """Create a repository with one commit on its default branch."""
        with self.world.lock:
            if self.world.repository_named(f"{owner}/{name}"):
                raise BuilderError(f"repository {owner}/{name} already exists")
            now = at or self.world.now()
            repository = self._new_repository(
                self.organization(owner), name, default_branch, now, private=private
            )
            start = {"README.md": f"# {name}\n"} if files is None else files
            self.commit(repository, start, message="Start", author=owner, at=now)
            return repository

    def _new_repository(
        self, owner: HubAccount, name: str, default_branch: str, at: datetime, *, private: bool
    ) -> HubRepository:
        number = self.world.next_id("repository")
        git = BareRepository(self.world.root / "git" / f"{number}.git", default_branch)
        repository = HubRepository(
            id=number,
            owner=owner,
            name=name,
            git=git,
            default_branch=default_branch,
            created_at=at,
            pushed_at=at,
            private=private,
        )
        self.world.repositories[number] = repository
        return repository

    def fork(
        self, repository: HubRepository, owner: str, *, at: datetime | None = None
    ) -> HubRepository:
        """Fork a repository into a person's account."""
        with self.world.lock:
            now = at or self.world.now()
            made = self._new_repository(
                self.world.account(owner), repository.name, repository.default_branch, now,
                private=repository.private,
            )  # fmt: skip
            made.fork_of = repository
            for branch in repository.git.branches():
                made.git.fetch_from(repository.git, f"refs/heads/{branch}", f"refs/heads/{branch}")
            return made

    def delete_forks(self, repository: HubRepository) -> None:
        """Delete all forks, so that their pull requests no longer have a head repository."""
        with self.world.lock:
            delete_forks(self.world, repository)

    def rename_repository(self, repository: HubRepository, name: str) -> None:
        """Rename a repository; its old name redirects."""
        with self.world.lock:
            repository.former_names.add(repository.full_name.lower())
            repository.name = name

    def transfer_repository(self, repository: HubRepository, owner: str) -> None:
        """Transfer a repository to another account; its old name redirects."""
        with self.world.lock:
            repository.former_names.add(repository.full_name.lower())
            repository.owner = self.world.account(owner)

    def archive(self, repository: HubRepository) -> None:
        """Make a repository read-only."""
        with self.world.lock:
            repository.archived = True

    def delete_repository(self, repository: HubRepository) -> None:
        """Delete a repository."""
        with self.world.lock:
            repository.deleted = True

    def allow(self, repository: HubRepository, login: str, permission: str) -> None:
        """Give a person ``admin``, ``write`` or ``read`` in a repository."""
        with self.world.lock:
            self.world.account(login)
            repository.collaborators[login.lower()] = permission

    # --- commits ------------------------------------------------------------------------------

    def commit(  # noqa: PLR0913 - a commit has these parts
        self,
        repository: HubRepository,
        files: Files,
        *,
        branch: str | None = None,
        message: str = "Change",
        author: str = "dev",
        committer: str | None = None,
        verified: bool = False,
        at: datetime | None = None,
    ) -> str:
        """Commit files on a branch (a new one starts at the default branch); return the SHA.

        ``None`` as a file's content removes the file. ``verified``: GitHub verifies the
        committer's signature; `state.WEB_FLOW` commits what GitHub itself makes.
        """
        with self.world.lock:
            now, name = at or self.world.now(), branch or repository.default_branch
            git = repository.git
            parent = git.resolve(f"refs/heads/{name}")
            parent = parent or git.resolve(f"refs/heads/{repository.default_branch}")
            made = _NewCommit(files, message, author, now, committer, verified)
            return self._committed(repository, name, parent, made)

    def _committed(
        self,
        repository: HubRepository,
        branch: str,
        parent: str | None,
        made: _NewCommit,
        others: Mapping[str, str | None] | None = None,
    ) -> str:
        sha = repository.git.write_commit(
            f"refs/heads/{branch}",
            made.files,
            parents=(parent,) if parent else (),
            author=self.world.account(made.author).person,
            committer=self.world.account(made.committer or made.author).person,
            at=made.at,
            message=made.message,
            others=others,
        )
        repository.pushed_at = made.at
        if made.verified:
            self.world.verified.add(sha)
        return sha

    # --- pull requests ------------------------------------------------------------------------

    def open_pull(  # noqa: PLR0913 - a pull request has these parts
        self,
        repository: HubRepository,
        *,
        files: Files | None = None,
        branch: str | None = None,
        base: str | None = None,
        fork: HubRepository | None = None,
        title: str = "Change",
        body: str | None = None,
        author: str = "dev",
        at: datetime | None = None,
    ) -> HubPull:
        """Open a pull request from a branch of the repository or of a fork.

        ``files`` become a commit on the branch first; without them the branch has its commits.
        """
        with self.world.lock:
            now, number = at or self.world.now(), repository.next_number
            base_ref, head_ref = base or repository.default_branch, branch or f"change-{number}"
            home = fork or repository
            start = self._start_of(repository, home, base_ref, head_ref)
            made = None if files is None else _NewCommit(files, title, author, now)
            sha = self._pushed(repository, home, number, head_ref, start, made)
            pull = self._opened(repository, home, base_ref, head_ref, sha, now)
            pull.title, pull.body, pull.author = title, body, self.world.account(author)
            return pull

    def _start_of(
        self, repository: HubRepository, home: HubRepository, base: str, head: str
    ) -> str:
        """Return where a head branch is; a new one starts at the base's tip."""
        there = home.git.resolve(f"refs/heads/{head}")
        if there is None and home is not repository:
            home.git.fetch_from(repository.git, f"refs/heads/{base}", f"refs/heads/{base}")
        return there or _tip(home, base)

    def _pushed(  # noqa: PLR0913, PLR0917 - the two sides of a pull request, and what is new
        self,
        repository: HubRepository,
        home: HubRepository,
        number: int,
        head: str,
        start: str,
        made: _NewCommit | None,
    ) -> str:
        """Push to a head branch; keep ``refs/pull/N/head``, which outlives branch and fork."""
        kept, own = f"refs/pull/{number}/head", home is repository
        if made is None:
            home.git.set_refs({f"refs/heads/{head}": start, **({kept: start} if own else {})})
            sha = start
        else:
            sha = self._committed(home, head, start, made, {kept: NEW} if own else {})
        if not own:
            repository.git.fetch_from(home.git, sha, kept)
        return sha

    def _opened(  # noqa: PLR0913, PLR0917 - a pull request has these parts
        self,
        repository: HubRepository,
        home: HubRepository,
        base: str,
        head: str,
        sha: str,
        at: datetime,
    ) -> HubPull:
        number = repository.next_number
        repository.next_number += 1
        pull = HubPull(
            id=self.world.next_id("pull"),
            number=number,
            repository=repository,
            title="",
            body=None,
            author=home.owner,
            head_ref=head,
            head_sha=sha,
            head_owner=home.owner,
            head_repository=home,
            base_ref=base,
            base_sha=_tip(repository, base),
            created_at=at,
            updated_at=at,
        )
        repository.pulls[number] = pull
        return pull

    def push_to_pull(  # noqa: PLR0913 - a commit has these parts
        self,
        pull: HubPull,
        files: Files,
        *,
        message: str = "More",
        author: str = "dev",
        committer: str | None = None,
        verified: bool = False,
        at: datetime | None = None,
    ) -> str:
        """Commit on a pull request's head branch, as `commit` does; return the new head."""
        with self.world.lock:
            home = pull.head_repository
            if home is None:
                raise BuilderError(f"the fork of pull request {pull.number} was deleted")
            now = at or self.world.now()
            made = _NewCommit(files, message, author, now, committer, verified)
            start = _tip(home, pull.head_ref)
            sha = self._pushed(pull.repository, home, pull.number, pull.head_ref, start, made)
            pull.moved_to(sha, _tip(pull.repository, pull.base_ref), now)
            return sha

    def merge(
        self,
        pull: HubPull,
        *,
        method: str = "merge",
        at: datetime | None = None,
        by: str = "maintainer",
        message: str | None = None,
    ) -> str:
        """Merge by ``merge``, ``squash`` or ``rebase``; return the new tip of the base branch."""
        with self.world.lock:
            if pull.closed_at is not None:
                raise BuilderError(f"pull request {pull.number} is already closed")
            now, merger = at or self.world.now(), self.world.account(by)
            sha = _METHODS[method](pull, now, merger, message)
            if method == "squash":
                # In the name of who opened the pull request, and GitHub signs it.
                self.world.account(WEB_FLOW)
                self.world.verified.add(sha)
            pull.merge_commit_sha, pull.merged_by = sha, merger
            pull.merged_at = pull.closed_at = pull.updated_at = now
            pull.repository.pushed_at = now
            # Whoever merges has write permission, and apps may ask for it.
            pull.repository.collaborators.setdefault(by.lower(), "write")
            return sha

    def close_pull(self, pull: HubPull, *, at: datetime | None = None) -> None:
        """Close a pull request without merging it."""
        with self.world.lock:
            pull.closed_at = pull.updated_at = at or self.world.now()

    def lock_pull(self, pull: HubPull) -> None:
        """Lock a conversation: apps can no longer comment."""
        with self.world.lock:
            pull.locked = True

    # --- comments, reviews, labels --------------------------------------------------------------

    def add_comment(self, pull: HubPull, author: str, body: str) -> HubComment:
        """Comment as a person."""
        with self.world.lock:
            number, now = self.world.next_id("comment"), self.world.now()
            comment = HubComment(number, self.world.account(author), body, now, now)
            pull.comments.append(comment)
            return comment

    def add_review(
        self, pull: HubPull, author: str, state: str = "APPROVED", *, at: datetime | None = None
    ) -> HubReview:
        """Review as a person: ``APPROVED``, ``CHANGES_REQUESTED`` or ``COMMENTED``."""
        with self.world.lock:
            number, now = self.world.next_id("review"), at or self.world.now()
            review = HubReview(
                number, self.world.account(author), state, f"{state}!", now, pull.head_sha
            )
            pull.reviews.append(review)
            return review

    def delete_comment(self, pull: HubPull, comment: HubComment) -> None:
        """Delete anybody's comment, as a maintainer can."""
        with self.world.lock:
            pull.comments.remove(comment)

    def add_label(self, pull: HubPull, name: str) -> HubLabel:
        """Add a label to a pull request as a person; create it if there is none."""
        with self.world.lock:
            known = pull.repository.labels
            label = known.get(name.lower()) or HubLabel(self.world.next_id("label"), name)
            known[name.lower()] = label
            if label not in pull.labels:
                pull.labels.append(label)
            return label

    def remove_label(self, pull: HubPull, name: str) -> None:
        """Remove a label from a pull request as a person."""
        with self.world.lock:
            pull.labels = [one for one in pull.labels if one.name.lower() != name.lower()]


def _tip(repository: HubRepository, branch: str) -> str:
    sha = repository.git.resolve(f"refs/heads/{branch}")
    if sha is None:
        raise BuilderError(f"{repository.full_name} has no branch {branch!r}; commit on it first")
    return sha


def _merged_tree(pull: HubPull, tip: str, head: str) -> str:
    git = pull.repository.git
    base = pull.merge_base if tip == pull.base_sha else git.merge_base(tip, head) or tip
    return git.tree_of(head) if base == tip else git.merge_trees(base, tip, head)


def _gone(pull: HubPull) -> dict[str, str | None]:
    """Return the refs that a merge deletes: the trial merge and the head branch."""
    gone: dict[str, str | None] = {f"refs/pull/{pull.number}/merge": None}
    if pull.head_repository is pull.repository:
        gone[f"refs/heads/{pull.head_ref}"] = None
    return gone


def _merge_commit(pull: HubPull, at: datetime, by: HubAccount, message: str | None) -> str:
    tip = _tip(pull.repository, pull.base_ref)
    default = f"Merge pull request #{pull.number} from {pull.head_owner.login}/{pull.head_ref}"
    return pull.repository.git.write_commit(
        f"refs/heads/{pull.base_ref}",
        {},
        parents=(tip, pull.head_sha),
        author=by.person,
        at=at,
        message=message or f"{default}\n\n{pull.title}",
        tree=_merged_tree(pull, tip, pull.head_sha),
        others=_gone(pull),
    )


def _squash_commit(pull: HubPull, at: datetime, by: HubAccount, message: str | None) -> str:  # noqa: ARG001 - all methods have one signature
    tip = _tip(pull.repository, pull.base_ref)
    return pull.repository.git.write_commit(
        f"refs/heads/{pull.base_ref}",
        {},
        parents=(tip,),
        author=pull.author.person,
        committer=BY_GITHUB,
        at=at,
        message=message or f"{pull.title} (#{pull.number})",
        tree=_merged_tree(pull, tip, pull.head_sha),
        others=_gone(pull),
    )


def _rebased_commits(pull: HubPull, at: datetime, by: HubAccount, message: str | None) -> str:  # noqa: ARG001 - all methods have one signature
    git, tip = pull.repository.git, _tip(pull.repository, pull.base_ref)
    for commit in git.commits(tip, pull.head_sha):
        if len(commit.parents) != 1:
            raise BuilderError(f"GitHub does not rebase merge commits, and {commit.sha} is one")
        tree = git.merge_trees(commit.parents[0], tip, commit.sha)
        tip = git.write_commit(
            f"refs/heads/{pull.base_ref}",
            {},
            parents=(tip,),
            author=commit.author,
            at=commit.authored_at,
            committer=by.person,
            committed_at=at,
            message=commit.message,
            tree=tree,
        )
    git.set_refs(_gone(pull))
    return tip


_METHODS = {"merge": _merge_commit, "squash": _squash_commit, "rebase": _rebased_commits}
