"""A waiver: a finding that somebody accepted, with a reason, an owner and an end date."""

from __future__ import annotations

from datetime import date

import msgspec


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which findings are accepted, by whom and until when.

    Every field that selects is a wildcard; all that are given must match.
    `until` is the last day on which it holds.
    """

    id: str
    reason: str
    owner: str
    until: date
    policy: str = "*"
    rule: str = "*"
    kind: str = "*"
    namespace: str = "*"
    name: str = "*"
    path: str = "*"
    fingerprint: str = ""
