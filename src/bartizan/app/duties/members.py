"""The members that a plane reads itself, from its settings: who they are, and the rules they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bartizan.app.selection import CheckSelection
from bartizan.app.watch.rules import RuleSettings
from bartizan.app.watch.sources import FolderSource, GitAddress, GitSource, context_source
from bartizan.base.errors import SpecError
from bartizan.fleet import name_from, name_problem
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.app.settings import Member, Settings
    from bartizan.app.watch.sources import Source

_GIT_SUFFIX = ".git"


def named(members: Iterable[Member]) -> dict[str, Member]:
    """Members by name; one without is called as what it is read from.

    Raises:
        SpecError: a name cannot be one, or two members have the same.
    """
    found: dict[str, Member] = {}
    for member in members:
        name = member.name or name_from(_called(member))
        problem = name_problem(name)
        if problem:
            raise SpecError(problem, hint="Give the cluster a `name` in the settings.")
        if name in found:
            raise SpecError(f"two clusters are called `{name}`", hint="Give one of them another `name`.")
        found[name] = member
    return found


def source_of(name: str, member: Member, cache: Path) -> Source:
    """Open what a member is read from; checkouts are kept in `cache`.

    Raises:
        SpecError: the kubeconfig or the context is not what it must be.
    """
    if member.folder:
        return FolderSource(name, Path(member.folder).expanduser())
    if member.git:
        return GitSource(name, GitAddress(member.git, member.ref, member.path), cache)
    kubeconfig = Path(member.kubeconfig).expanduser() if member.kubeconfig else None
    return context_source(name, kubeconfig=kubeconfig, context=member.context or None)


def rules_of(settings: Settings) -> RuleSettings:
    """Which rules members are asked.

    Raises:
        SpecError: the settings name no severity.
    """
    told = settings.checks
    if told.severity.upper() not in Severity.__members__:
        hint = f"Severities are {', '.join(one.label for one in Severity)}."
        raise SpecError(f"no severity is called `{told.severity}`", hint=hint)
    checks = CheckSelection(told.names, told.frameworks, Severity[told.severity.upper()])
    return RuleSettings(
        None if told.off else checks,
        settings.pod_security,
        tuple(Path(path).expanduser() for path in settings.policies),
        tuple(Path(path).expanduser() for path in settings.exceptions),
    )


def _called(member: Member) -> str:
    if member.folder:
        return Path(member.folder).expanduser().resolve().name
    if member.git:
        return member.git.rstrip("/").rpartition("/")[2].removesuffix(_GIT_SUFFIX)
    return member.context or Path(member.kubeconfig).stem
