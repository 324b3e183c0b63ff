"""`bartizan completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    Put it where the shell reads it:
      bash  bartizan completion bash > ~/.local/share/bash-completion/completions/bartizan
      zsh   bartizan completion zsh > "${fpath[1]}/_bartizan"
      fish  bartizan completion fish > ~/.config/fish/completions/bartizan.fish
    """
    from bartizan.cli.main import cli

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for `{shell}`")
    click.echo(found(cli, {}, "bartizan", "_BARTIZAN_COMPLETE").source())
