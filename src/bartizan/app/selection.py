"""Which checks of the catalogue run, and their rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bartizan.app.ambient import ambient
from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.catalog import CheckSpec, export_policy, load_catalog
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.engines.posture import compile_check
from bartizan.model.finding import RuleId, RuleInfo
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.engines.policy.plan import Rule
    from bartizan.engines.posture import CrossCheck


@dataclass(frozen=True, slots=True)
class CheckSelection:
    """Checks by name, by framework and by least severity; nothing named means all."""

    names: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    severity: Severity = Severity.INFO


class Chosen(NamedTuple):
    """Rules on one resource, and checks across several."""

    rules: tuple[Rule, ...]
    checks: tuple[CrossCheck, ...]


def select(selection: CheckSelection) -> list[CheckSpec]:
    """The checks a selection means, in the order of their names.

    Raises:
        SpecError: a check or framework does not exist.
    """
    catalog = load_catalog()
    for name in selection.names:
        if name not in catalog.checks:
            raise SpecError(
                f"unknown check `{name}`", hint=did_you_mean(name, catalog.checks, listed="bartizan catalog list")
            )
    for name in selection.frameworks:
        if name not in catalog.frameworks:
            raise SpecError(f"unknown framework `{name}`", hint=did_you_mean(name, catalog.frameworks))
    serving = {check for name in selection.frameworks for check in catalog.frameworks[name].checks}
    return [check for check in catalog.checks.values() if _is_selected(check, selection, serving)]


def _is_selected(check: CheckSpec, selection: CheckSelection, serving: set[str]) -> bool:
    if selection.names and check.id not in selection.names:
        return False
    if selection.frameworks and check.id not in serving:
        return False
    return Severity[check.severity.upper()] >= selection.severity


def chosen_checks(selection: CheckSelection) -> Chosen:
    """Compile the checks that a selection means.

    Raises:
        SpecError: a check or framework does not exist.
    """
    return compile_checks(select(selection))


def compile_checks(checks: Iterable[CheckSpec]) -> Chosen:
    """Compile checks: policies by the dialect, templates by the posture engine.

    Raises:
        SpecError: a check is malformed, which its tests prevent.
    """
    compiler = expression_compiler(ambient())
    rules: list[Rule] = []
    crossing: list[CrossCheck] = []
    for check in checks:
        info = describe(check)
        if check.template:
            crossing.append(compile_check(info, check.template))
            continue
        policy = compile_policy(export_policy(check), compiler)
        for problem in policy.problems:
            raise SpecError(f"check `{check.id}`: {problem.message}", hint=problem.hint, pointer=problem.pointer)
        # the rules that autogen makes are the same check to its reader
        rules += [rule._replace(info=info) for rule in policy.rules]
    return Chosen(tuple(rules), tuple(crossing))


def describe(check: CheckSpec) -> RuleInfo:
    """What is true of a check whatever it judges."""
    return RuleInfo(
        id=RuleId(check.id),
        title=check.title,
        severity=Severity[check.severity.upper()],
        category=check.category,
        origin="check",
        why=" ".join(check.why.split()),
        fix=" ".join(check.fix.split()),
        frameworks=tuple(check.frameworks),
    )
