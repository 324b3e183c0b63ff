"""What the command line says of `bartizan apply`, read into a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bartizan.app.apply import ApplyRequest
from bartizan.app.options import ClusterChoice, live_of, registries, user_in, values_in
from bartizan.app.payloads import STDIN, read_payloads
from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.app.apply import Form
    from bartizan.app.payloads import Given
    from bartizan.app.supply import Progress
    from bartizan.model.request import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyInputs:
    """The options of `bartizan apply`, as they are written."""

    policies: tuple[Path, ...]
    paths: tuple[Path, ...]
    stdin: bytes | None
    cluster: ClusterChoice
    settings: tuple[str, ...]
    values: Path | None
    registry: bool
    user_info: Path | None
    exception: tuple[Path, ...]
    operation: Operation | None
    form: Form
    everything: bool
    workers: int
    color: bool
    payloads: tuple[Given, ...] = ()


def read_apply_inputs(inputs: ApplyInputs, progress: Progress) -> ApplyRequest:
    """Read the files that options name.

    Raises:
        SpecError: nothing to apply policies to, or a file that is not what its option wants.
        SourceError: the cluster that is named cannot be reached.
    """
    if not inputs.paths and not inputs.cluster.is_made and not inputs.payloads:
        hint = "Name files or folders with -r, `-r -` for standard input, --cluster, or --json."
        raise SpecError("no resources", hint=hint)
    values = values_in(inputs.values)
    return ApplyRequest(
        policies=inputs.policies,
        paths=tuple(path for path in inputs.paths if str(path) != "-"),
        stdin=inputs.stdin if STDIN in inputs.paths else None,
        live=live_of(inputs.cluster),
        registry=registries(inputs.cluster, asked=inputs.registry),
        exceptions=inputs.exception,
        values=values._replace(everywhere={**values.everywhere, **_settings(inputs.settings)}),
        user=user_in(inputs.user_info),
        operation=inputs.operation,
        form=inputs.form,
        color=inputs.color,
        everything=inputs.everything,
        payloads=read_payloads(inputs.payloads, inputs.stdin),
        workers=inputs.workers,
        progress=progress,
    )


def _settings(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise SpecError(f"bad setting `{text}`", hint="Write it as `--set request.operation=UPDATE`.")
        found[name] = value
    return found
