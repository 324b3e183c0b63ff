"""`bartizan fix`: manifests changed so that they pass, shown as a difference or written."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from bartizan.cli.options import CHECKS, FILE, FILES_OR_DASH, KNOWN, declare
from bartizan.cli.terminal import piped, results, wants_color
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.app.fix.fix import FixedFile, FixRequest
    from bartizan.outputs.fixes import Narrator

_MODES: Final = (
    click.option("--diff", "mode", flag_value="diff", help="Show what would change, as a patch. The default."),
    click.option("--write", "mode", flag_value="write", help="Change the files."),
)
_FIXES: Final = (
    click.option("-p", "--policy", multiple=True, type=FILE, help="Kyverno policies with mutate rules to apply."),
    *CHECKS,
    click.option("--risky", "--all", is_flag=True, help="Also fixes that may change how a program behaves."),
)
_REST: Final = (
    click.option("--waivers", type=FILE, help="File of accepted findings, which are not fixed."),
    click.option("-q", "--quiet", is_flag=True, help="Say only how many findings were fixed and left."),
)


@click.command(short_help="Mend manifests in the files themselves.")
@click.argument("paths", nargs=-1, required=True, type=FILES_OR_DASH)
@declare(_MODES, _FIXES, KNOWN, _REST)
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

    narrator = Narrator(results(), sys.stderr, color=wants_color())
    fixes = run_fix(_request(paths, piped(paths), options))
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
    from bartizan.app.writing import replace_file
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
    from bartizan.app.fix.fix import FixRequest
    from bartizan.app.options import user_in, values_in, waivers_in
    from bartizan.app.selection import CheckSelection

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
        values=values_in(options["values"]),
        user=user_in(options["user_info"]),
        waivers=waivers_in(options["waivers"]),
    )
