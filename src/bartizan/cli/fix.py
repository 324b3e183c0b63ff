"""`bartizan fix`: manifests changed so that they pass, shown as a difference or written."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.app.fix.fix import FixedFile, FixRequest
    from bartizan.outputs.fixes import Narrator

_SEVERITIES: Final = [severity.label for severity in Severity]
_FILE = click.Path(path_type=Path)

_MODES: Final = (
    click.option("--diff", "mode", flag_value="diff", help="Show what would change, as a patch. The default."),
    click.option("--write", "mode", flag_value="write", help="Change the files."),
)
_FIXES: Final = (
    click.option("-p", "--policy", multiple=True, type=_FILE, help="Kyverno policies with mutate rules to apply."),
    click.option("--check", multiple=True, help="Only this built-in check, whatever the risk of its fix."),
    click.option("--framework", multiple=True, help="Only the built-in checks of this framework."),
    click.option(
        "--severity", type=click.Choice(_SEVERITIES), default="info", help="Only checks at least this severe."
    ),
    click.option("--risky", "--all", is_flag=True, help="Also fixes that may change how a program behaves."),
    click.option("--values", type=_FILE, help="Values file that answers what policies look up."),
    click.option("--user-info", type=_FILE, help="UserInfo file: who is taken to create the resources."),
    click.option("--exception", multiple=True, type=_FILE, help="PolicyExceptions: files or folders."),
    click.option("--waivers", type=_FILE, help="File of accepted findings, which are not fixed."),
    click.option("-q", "--quiet", is_flag=True, help="Say only how many findings were fixed and left."),
)


def _options(*groups: tuple[Callable[..., Any], ...]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed([item for group in groups for item in group]):
            command = option(command)
        return command

    return add


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@_options(_MODES, _FIXES)
def fix(paths: tuple[Path, ...], mode: str | None, *, quiet: bool, **options: Any) -> None:
    """Mend the manifests at PATHS (files, folders, `-`), in the files themselves.

    Only the lines that must change do: comments, order, quotes and
    indentation stay. Without --policy the built-in checks are fixed, as
    `bartizan scan` finds them; a fix that may change how a program behaves
    is left for --risky, or for naming its check. Charts and kustomizations
    are not edited. The result of `-` goes to standard output.

    \b
    Examples:
      bartizan fix k8s/                          what would change
      bartizan fix k8s/ --write                  change it
      bartizan fix k8s/ --risky --framework pod-security
      bartizan fix k8s/ --check writable-root
      bartizan fix k8s/ -p policies/ --write     by mutate rules you have
      bartizan fix k8s/ | patch -p1              take a patch elsewhere

    \b
    Exit codes:
      0  nothing to do, or all of it written
      1  something would change (without --write)
      2  a document or policy cannot be read or edited; the rest is fixed
      3  a file cannot be written
    """
    from bartizan.app.fix.fix import fix as run_fix
    from bartizan.outputs.fixes import Narrator

    stdin = sys.stdin.buffer.read() if Path("-") in paths else None
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # a text file, always
    narrator = Narrator(sys.stdout, sys.stderr, color=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    fixes = run_fix(_request(paths, stdin, options))
    changed = False
    for file in fixes.files:
        if file.path is None and mode is None:
            sys.stdout.flush()
            sys.stdout.buffer.write(file.after)
        elif file.changed:
            changed = True
            if mode == "write":
                _write(file, narrator)
            else:
                narrator.diff(file.name, file.before, file.after)
        narrator.file(file.name, file.fixed, file.left, file.problems, quiet=quiet)
    code = narrator.end(fixes.problems, fixes.untouched, written=mode == "write")
    sys.exit(code or (1 if changed and mode != "write" else 0))


def _write(file: FixedFile, narrator: Narrator) -> None:
    from bartizan.app.replacing import replace_file
    from bartizan.base.errors import SourceError

    if file.path is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(file.after)
        return
    try:
        replace_file(file.path, file.before, file.after)
    except SourceError as error:
        narrator.unwritten(error)
        file.fixed.clear()


def _request(paths: tuple[Path, ...], stdin: bytes | None, options: dict[str, Any]) -> FixRequest:
    """Read the files that options name.

    Raises:
        SpecError: a file is not what its option wants.
    """
    from bartizan.app.files import read_document
    from bartizan.app.fix.fix import FixRequest
    from bartizan.app.selection import CheckSelection
    from bartizan.app.user_info import read_user_info
    from bartizan.app.values import EMPTY, read_values
    from bartizan.findings import read_waivers

    checks = None
    if options["check"] or options["framework"] or not options["policy"]:
        checks = CheckSelection(options["check"], options["framework"], Severity[options["severity"].upper()])
    return FixRequest(
        at=datetime.now().astimezone().date(),
        paths=tuple(path for path in paths if str(path) != "-"),
        stdin=stdin,
        policies=options["policy"],
        exceptions=options["exception"],
        checks=checks,
        risky=options["risky"],
        values=read_document(options["values"], read_values) if options["values"] else EMPTY,
        user=read_document(options["user_info"], read_user_info) if options["user_info"] else None,
        waivers=read_document(options["waivers"], read_waivers) if options["waivers"] else (),
    )
