"""Who may join a fleet under which name.

A name is one cluster's for as long as it is a member, so that its history
never becomes another's. What tells clusters apart is their identity, which
no administrator types: the uid of the namespace `kube-system`, or the
address of a folder or context. Tokens are not known here, only their hashes,
and those only to be compared: the caller makes both.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import msgspec

from bartizan.model.fleet import ClusterKind

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 63
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_NO_NAME: Final = re.compile(r"[^a-z0-9]+")


class Member(msgspec.Struct, frozen=True):
    """A cluster of the fleet as enrolment knows it. One that was revoked keeps its name, and may not report."""

    name: str
    kind: ClusterKind
    identity: str
    token_hash: str = ""
    revoked: bool = False


class Invitation(msgspec.Struct, frozen=True):
    """A join token that was given out. With a `name` it is for that name alone; it works once."""

    token_hash: str
    expires_at: datetime
    name: str = ""
    used: bool = False


class JoinRequest(NamedTuple):
    """A cluster asks to join: what it calls itself, what it is, and the hashes of the two tokens.

    `invitation_hash` is of the join token it brings, `token_hash` of the
    token it is to report with.
    """

    name: str
    kind: ClusterKind
    identity: str
    invitation_hash: str
    token_hash: str


class Admitted(NamedTuple):
    """It is a member. `rejoined` is whether it was one before, under this name; its history goes on."""

    member: Member
    invitation: Invitation
    rejoined: bool


class Refused(NamedTuple):
    """It is not, with a clause and a sentence for people; `reason` is for machines."""

    reason: Literal["name", "invitation", "taken", "known", "token"]
    message: str
    hint: str


Decision: TypeAlias = Admitted | Refused


def name_problem(name: str) -> str:
    """What is wrong with a name, as a clause; empty when nothing is.

    Names stand in URLs, file names and labels of metrics: a DNS label that may have dots.
    """
    if not name:
        return "a cluster needs a name"
    if len(name) > _LONGEST:
        return f"the name has {len(name)} characters, and may have {_LONGEST}"
    if not _NAME.fullmatch(name):
        return f"`{name}` is not of small letters, digits, dots and dashes between letters or digits"
    return ""


def name_from(text: str) -> str:
    """The name nearest to what a kubeconfig or a path calls a cluster; empty where there is none.

    Of one that is too long the end is kept, which tells `arn:...:cluster/a` from `arn:...:cluster/b`.
    """
    return _NO_NAME.sub("-", text.lower())[-_LONGEST - 1 :].strip("-")[-_LONGEST:].strip("-")


def join(members: Iterable[Member], invitations: Iterable[Invitation], request: JoinRequest, now: datetime) -> Decision:
    """Decide on a cluster that asks to join.

    A member that lost its token joins again under its name, with a new
    invitation; one that lost the answer asks once more with all it had.
    Nothing about names or members is told to who brings no invitation.
    """
    known = list(members)
    invitation = next((one for one in invitations if one.token_hash == request.invitation_hash), None)
    if (
        invitation is None
        or not request.invitation_hash
        or invitation.expires_at <= now
        or (invitation.used and not any(_is_of(request, one) for one in known))
    ):
        return Refused("invitation", "the join token is not valid, was used or has ended", "Ask for a new join token.")
    problem = name_problem(request.name)
    if problem:
        return Refused("name", problem, "Give the cluster another name.")
    if invitation.name not in ("", request.name):
        message = f"the join token is for `{invitation.name}`, not for `{request.name}`"
        return Refused("name", message, f"Join as `{invitation.name}`, or ask for a token of that name.")
    return _conflict(known, request) or Admitted(
        Member(request.name, request.kind, request.identity, request.token_hash),
        msgspec.structs.replace(invitation, used=True),
        any(one.name == request.name for one in known),
    )


def _is_of(request: JoinRequest, member: Member) -> bool:
    """Whether a member is what the request has made."""
    made = Member(request.name, request.kind, request.identity, request.token_hash)
    return bool(request.token_hash) and member == made


def _conflict(members: list[Member], request: JoinRequest) -> Refused | None:
    """What stands against a good request among those who are members."""
    for one in members:
        same_name, same_identity = one.name == request.name, one.identity == request.identity
        if same_name and not same_identity:
            return Refused(
                "taken", f"`{one.name}` is another cluster", "Choose another name, or remove that cluster first."
            )
        if same_identity and not same_name:
            return Refused("known", f"this cluster is a member as `{one.name}`", f"Join as `{one.name}`.")
        if one.token_hash and one.token_hash == request.token_hash and (one.revoked or not same_name):
            return Refused("token", "the token is in use or was revoked", "Make a new token.")
    if not request.identity or not request.token_hash:
        return Refused("token", "the request names no identity or no token", "Report with an agent of this version.")
    return None


def reporter(members: Iterable[Member], token_hash: str) -> Member | None:
    """Whose report a token is for; nobody's where it was revoked or is not known."""
    if not token_hash:
        return None
    return next((one for one in members if one.token_hash == token_hash and not one.revoked), None)
