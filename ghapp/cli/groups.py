"""Groups of commands that say which name one may have meant. It holds no command."""

from difflib import get_close_matches

import click


class NamedGroup(click.Group):
    """A group that answers an unknown name with the known ones that come close."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; raise `click.UsageError` with the names that one may have meant."""
        name = args[0]
        near = get_close_matches(name, self.list_commands(ctx), n=3, cutoff=0.6)
        if near and name not in self.list_commands(ctx):
            meant = " or ".join(repr(one) for one in near)
            raise click.UsageError(f"No such command {name!r}. Did you mean {meant}?", ctx)
        return super().resolve_command(ctx, args)
