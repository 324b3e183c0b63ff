"""The `bartizan` command. Each sub-command is imported when it is called, so that `--version` imports none."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NoReturn

import click

import bartizan

if TYPE_CHECKING:
    from collections.abc import Mapping

EXIT_CODES: Final = """\b
Exit codes:
  0  clean
  1  something to do: findings, failed test cases, objections, changes
  2  bad input or usage
  3  the world could not be read: a cluster, a program
  4  a bug in bartizan"""

_GC_THRESHOLD: Final = 200_000
"""Collections of a command's many small objects find nothing; this many allocations apart they cost next to nothing."""
COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "up": "bartizan.plane.up:up",
        "fleet": "bartizan.cli.fleet:fleet",
        "agent": "bartizan.agent.command:agent",
        "scan": "bartizan.cli.scan:scan",
        "test": "bartizan.cli.test:test",
        "apply": "bartizan.cli.apply:apply",
        "fix": "bartizan.cli.fix:fix",
        "explain": "bartizan.cli.explain:explain",
        "policy": "bartizan.cli.policy:policy",
        "create": "bartizan.cli.create:create",
        "jp": "bartizan.cli.jp:jp",
        "cel": "bartizan.cli.cel:cel",
        "cleanup": "bartizan.cli.cleanup:cleanup",
        "catalog": "bartizan.cli.catalog:catalog",
        "worker": "bartizan.cli.worker:worker",
        "store": "bartizan.cli.store:store",
        "completion": "bartizan.cli.completion:completion",
    }
)


class _LazyGroup(click.Group):
    """A group that knows its commands by name only."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        del ctx
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called, or say what was probably meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from bartizan.base.suggest import did_you_mean

            raise click.UsageError(f"no command `{args[0]}`\n  hint: {did_you_mean(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyGroup, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bartizan.__version__, prog_name="bartizan", message="%(prog)s %(version)s")
def cli() -> None:
    """Keep watch over Kubernetes: what is wrong with manifests and clusters, why, where, and how to mend it.

    \b
    Begin with:
      bartizan up k8s/                 all of it in a browser, kept up to date
      bartizan scan k8s/               your manifests, by the built-in checks
      bartizan scan --context prod     a live cluster, read-only
      bartizan scan -p policies/ k8s/  by Kyverno policies you already have
      bartizan test policies/          the tests of those policies
      bartizan apply policies/ -r k8s/ what those policies would change
      bartizan fix k8s/                the fixes, as a patch; then --write
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the one place that catches everything."""
    gc.set_threshold(_GC_THRESHOLD)
    try:
        _run(arguments)
    finally:
        # what a command leaves is not worth collecting at its end, which takes as long as a short command
        gc.freeze()


def _run(arguments: list[str] | None) -> NoReturn:
    try:
        code = cli.main(args=arguments, prog_name="bartizan", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 (the outermost frame: what is ours is told, what is a bug is reported)
        sys.exit(_failed(error))


def _failed(error: Exception) -> int:
    from bartizan.base.errors import BartizanError

    if isinstance(error, BartizanError):
        from bartizan.outputs.text import printable

        print("\n".join(printable(line) for line in f"error: {error}".splitlines()), file=sys.stderr)
        return error.exit_code
    import traceback

    traceback.print_exception(error)
    print("\nThis is a bug in bartizan. Please report it with the lines above.", file=sys.stderr)
    return 4
