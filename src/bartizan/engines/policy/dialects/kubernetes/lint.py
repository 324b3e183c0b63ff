"""What is wrong with Kubernetes' own admission policies and their bindings before they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.cel.lint.table import RULES
from bartizan.engines.policy.cel.lint.view import CelView, Collector, mapping
from bartizan.engines.policy.cel.listening import listening
from bartizan.engines.policy.dialects.kubernetes.policy import compile_policies
from bartizan.engines.policy.faults import faults
from bartizan.engines.policy.remark import UNREADABLE, Remark, remarks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.base.json import Json, JsonObject

STRAY: Final = "stray-binding"
UNENFORCED: Final = "unenforced-binding"
_BINDING: Final = "Binding"


def lint_admission(documents: Sequence[JsonObject]) -> Iterator[tuple[int, Remark]]:
    """Say what is wrong with policies and bindings, which are seen beside each other; each by its place among them."""
    bindings = [document for document in documents if _kind(document).endswith(_BINDING)]
    known = {(_kind(document), _name(document)) for document in documents if not _kind(document).endswith(_BINDING)}
    for number, document in enumerate(documents):
        if _kind(document).endswith(_BINDING):
            yield from ((number, remark) for remark in _lint_binding(document, known))
            continue
        kind = f"{_kind(document)}{_BINDING}"
        bound = frozenset(str(_policy_of(item)) for item in bindings if _kind(item) == kind)
        yield from ((number, remark) for remark in _lint_policy(document, bound))


def _lint_policy(document: JsonObject, bound: frozenset[str]) -> list[Remark]:
    collector = Collector()

    def problems(part: Json) -> tuple[SpecError, ...]:
        collector.refusals.clear()
        with listening(collector):
            compiled = compile_policies([part])
        return (*(wrong.error for wrong in compiled.problems), *collector.refusals)

    said = tuple(SpecError(item.message, hint=item.hint, pointer=item.pointer) for item in faults(document, problems))
    return remarks_of(RULES, CelView(document, collector.found, said).bound_by(bound))


def _lint_binding(document: JsonObject, known: set[tuple[str, str]]) -> Iterator[Remark]:
    for said in faults(document, lambda part: [wrong.error for wrong in compile_policies([part]).problems]):
        yield Remark(UNREADABLE, "error", said.pointer, said.message, said.hint, said.near)
    kind, name = _kind(document).removesuffix(_BINDING), _policy_of(document)
    if known and isinstance(name, str) and (kind, name) not in known:
        names = [other for of, other in known if of == kind]
        hint = did_you_mean(name, names) if 0 < len(names) < 20 else "Check its name."
        yield Remark(STRAY, "warning", "/spec/policyName", f"no {kind} `{name}` among those given", hint, name)
    actions = mapping(document.get("spec")).get("validationActions")
    if isinstance(actions, list) and actions and "Deny" not in actions:
        message = "nothing is refused where this binding applies"
        yield Remark(UNENFORCED, "note", "/spec/validationActions", message, "Add `Deny` once it may refuse.", "")


def _kind(document: JsonObject) -> str:
    return str(document.get("kind"))


def _name(document: JsonObject) -> str:
    return str(mapping(document.get("metadata")).get("name"))


def _policy_of(binding: JsonObject) -> Json:
    return mapping(binding.get("spec")).get("policyName")
