"""Write the reference, `docs/reference/`, from the code: commands, checks, functions, and rules about policies."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from bartizan.app.jp import functions  # noqa: E402 (as the next line)
from bartizan.app.policy_check.reasons import REASONS  # noqa: E402
from bartizan.app.settings import Settings  # noqa: E402
from bartizan.catalog import CheckSpec, load_catalog  # noqa: E402 (found from the root, which the line above adds)
from bartizan.cli.main import cli  # noqa: E402
from bartizan.engines.policy.dialects.kyverno.library import FUNCTIONS as CEL_FUNCTIONS  # noqa: E402
from bartizan.engines.policy.dialects.kyverno.library import VARIABLES as CEL_NAMES  # noqa: E402
from bartizan.engines.policy.dialects.kyverno.library.authorization.reference import (  # noqa: E402
    entries as request_entries,
)
from bartizan.engines.policy.dialects.kyverno.library.reference import Entry  # noqa: E402
from bartizan.engines.policy.dialects.kyverno.library.reference import entries as cel_entries  # noqa: E402
from bartizan.outputs.value import write_value  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.lang.jmespath.library import Function

FOLDER = ROOT / "docs" / "reference"


def commands(command: click.Command, name: str) -> Iterator[str]:
    """A command's help, then its sub-commands'."""
    context = click.Context(command, info_name=name, max_content_width=100)
    yield f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from commands(found, f"{name} {below}")


def check_page(check: CheckSpec) -> str:
    """One check: why, how to mend it, and what passes and fails."""
    good = ", ".join(example.name for example in check.examples if example.expect == "pass")
    bad = ", ".join(example.name for example in check.examples if example.expect == "fail")
    controls = ", ".join(f"`{control}`" for control in check.frameworks)
    return (
        f"## {check.id}\n\n{check.title}: {check.severity}, {check.category}, {controls}\n\n"
        f"{check.why.strip()}\n\n**Fix.** {check.fix.strip()}\n\n**Passes:** {good}. **Fails:** {bad}.\n"
    )


def function_entry(function: Function) -> str:
    """One function of expressions: how it is called, what it gives, and an example."""
    expression, value = function.example
    given = write_value(value, "json", compact=True, unquoted=False)
    return (
        f"## {function.name}\n\n`{function.call_shape}` gives {function.value_type}. {function.doc}\n\n"
        f"```text\n{expression}\n{given}\n```\n"
    )


def cel_entry(entry: Entry) -> str:
    """One function of CEL policies: how it is called, and what it does."""
    others = f" Also: {', '.join(f'`{name}`' for name in entry.names[1:])}." if entry.names[1:] else ""
    return f"## {entry.names[0]}\n\n{entry.text}{others}\n\n```text\n{chr(10).join(entry.calls)}\n```\n"


def rule_row(name: str) -> str:
    """One rule about policies, as a row of a table."""
    level, why = REASONS[name]
    return f"| `{name}` | {level} | {why.replace('|', chr(92) + '|')} |"


def settings_of(kind: type[msgspec.Struct]) -> Iterator[str]:
    """A part of the settings: what it is, and its fields with their defaults; then the parts in it."""
    yield f"## {kind.__name__}\n\n{inspect.cleandoc(kind.__doc__ or '')}\n\n| field | kind | default |\n|---|---|---|"
    below = []
    for field in msgspec.structs.fields(kind):
        told = getattr(field.type, "__name__", str(field.type)).replace("|", "\\|")
        factory = field.default_factory
        default = field.default if field.default is not msgspec.NODEFAULT else None
        if default is None and factory is not msgspec.NODEFAULT:
            default = factory()
        parts = [one for one in (field.type, *get_args(field.type)) if isinstance(one, type)]
        below += [one for one in parts if issubclass(one, msgspec.Struct)]
        shown = "" if default in ((), {}, "", None) or isinstance(default, msgspec.Struct) else f"`{default}`"
        yield f"| `{field.name}` | {told.replace('bartizan.app.settings.', '')} | {shown} |"
    yield ""
    for one in below:
        yield from settings_of(one)


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    pages = {
        "commands.md": ["# Commands\n", *commands(cli, "bartizan")],
        "checks.md": ["# Built-in checks\n", *(check_page(check) for check in load_catalog().checks.values())],
        "functions.md": [
            "# Functions of expressions\n",
            "What `bartizan jp function` says of each.\n",
            *map(function_entry, functions(())),
        ],
        "cel-functions.md": [
            "# Functions of CEL policies\n",
            "What Kyverno's `policies.kyverno.io` kinds have beside the functions of Kubernetes.\n",
            *map(cel_entry, cel_entries(CEL_FUNCTIONS, CEL_NAMES)),
        ],
        "authorization-functions.md": [
            "# Functions of policies about requests\n",
            "What a ValidatingPolicy of mode `HTTP` or `Envoy` has beside the functions of Kubernetes.\n",
            *(cel_entry(entry) for mode in ("Envoy", "HTTP") for entry in request_entries(mode)),
        ],
        "settings.md": [
            "# Settings of the plane\n",
            "What the file of `bartizan up --config` may say, as YAML. What is not in it has its default.\n",
            *settings_of(Settings),
        ],
        "policy-rules.md": [
            "# Rules about policies\n",
            "What `bartizan policy check` looks for.\n",
            "| rule | level | why |\n|---|---|---|",
            *map(rule_row, sorted(REASONS)),
        ],
    }
    for name, parts in pages.items():
        (FOLDER / name).write_text("\n".join(parts))
        print(FOLDER / name)


if __name__ == "__main__":
    main()
