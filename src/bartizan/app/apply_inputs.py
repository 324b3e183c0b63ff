"""What the command line says of `bartizan apply`, read into a request; and what comes out, into files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bartizan.app.apply import ApplyRequest
from bartizan.app.files import read_document
from bartizan.app.user_info import read_user_info
from bartizan.app.values import EMPTY, read_values
from bartizan.base.errors import SourceError, SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.app.apply import Form, Written
    from bartizan.app.images.registry import RegistryLookup
    from bartizan.app.supply import Live, Progress
    from bartizan.model.request import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyInputs:
    """The options of `bartizan apply`, as they are written."""

    policies: tuple[Path, ...]
    paths: tuple[Path, ...]
    stdin: bytes | None
    cluster: bool
    context: str | None
    kubeconfig: Path | None
    namespace: tuple[str, ...]
    kind: tuple[str, ...]
    settings: tuple[str, ...]
    values: Path | None
    registry: bool
    user_info: Path | None
    exceptions: tuple[Path, ...]
    operation: Operation | None
    form: Form
    everything: bool
    workers: int
    color: bool


def read_apply_inputs(inputs: ApplyInputs, progress: Progress) -> ApplyRequest:
    """Read the files that options name.

    Raises:
        SpecError: nothing to apply policies to, or a file that is not what its option wants.
        SourceError: the cluster that is named cannot be reached.
    """
    is_live = bool(inputs.cluster or inputs.context or inputs.kubeconfig)
    if not inputs.paths and not is_live:
        raise SpecError("no resources", hint="Name files or folders with -r, `-r -` for standard input, or --cluster.")
    values = read_document(inputs.values, read_values) if inputs.values else EMPTY
    return ApplyRequest(
        policies=inputs.policies,
        paths=tuple(path for path in inputs.paths if str(path) != "-"),
        stdin=inputs.stdin,
        live=_live(inputs) if is_live else None,
        registry=_registry() if inputs.registry and not is_live else None,
        exceptions=inputs.exceptions,
        values=values._replace(everywhere={**values.everywhere, **_settings(inputs.settings)}),
        user=read_document(inputs.user_info, read_user_info) if inputs.user_info else None,
        operation=inputs.operation,
        form=inputs.form,
        color=inputs.color,
        everything=inputs.everything,
        workers=inputs.workers,
        progress=progress,
    )


def _live(inputs: ApplyInputs) -> Live:
    from bartizan.app.live import connect_live

    return connect_live(
        context=inputs.context,
        kubeconfig=inputs.kubeconfig,
        in_cluster=False,
        namespaces=inputs.namespace,
        kinds=inputs.kind,
        selector="",
    )


def _registry() -> RegistryLookup:
    from bartizan.app.images.registry import registries_only  # brings the client, which most runs do without

    return registries_only()


def _settings(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise SpecError(f"bad setting `{text}`", hint="Write it as `--set request.operation=UPDATE`.")
        found[name] = value
    return found


class Folder:
    """A folder for what came out, one file an object; a file appears whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._texts: dict[str, str] = {}

    def write(self, item: Written) -> None:
        """Write one object; another of the same name gets a number behind it, unless it is the same.

        Raises:
            SourceError: it cannot be written.
        """
        number = 1
        name = item.name
        while self._texts.get(name, item.text) != item.text:
            number += 1
            name = f"{item.name}-{number}"
        if name in self._texts:
            return
        self._texts[name] = item.text
        part, file = self._path / f".{name}.part", self._path / f"{name}.yaml"
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            part.write_text(item.text, encoding="utf-8", errors="backslashreplace")
            part.replace(file)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SourceError(f"cannot write `{file}`: {reason}", hint="Check the folder.") from error
