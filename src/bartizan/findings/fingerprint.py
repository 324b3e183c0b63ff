"""The name of a finding that survives a rerun, a reworded message and a new release.

Baselines, waivers, SARIF and the store all know a finding by it, so what it
is made of may never change without a new version in `SCHEME`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bartizan.model.finding import RuleId
    from bartizan.model.resource import ResourceId

SCHEME: Final = "bartizan/v1"
"""What formats that keep several fingerprints call this one."""

_POSITION: Final = re.compile(r"/\d+(?=/|$)")


def fingerprint(rule: RuleId, resource: ResourceId, pointer: str) -> str:
    """Identify a finding across scans: 16 hex digits, stable between releases.

    Left out on purpose: the message (we may reword it), the severity (a
    framework may change it), the API version (a migration is not news), the
    file (it may move), list positions (adding a sidecar must not reopen
    every waiver), and what comes after the last of them (the path to what is
    missing grows when somebody adds half of it). Kept: rule, object, and the
    lists on the way.
    """
    from hashlib import sha256  # brings OpenSSL, which a scan that names no finding does without

    parts = (
        rule.policy,
        rule.rule,
        resource.group,
        resource.kind,
        resource.namespace,
        resource.name,
        lists_of(pointer),
    )
    # a lone surrogate, from a file that is not UTF-8, must hash too; `\0` cannot occur in a name
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@lru_cache(maxsize=8192)  # few paths, many findings
def lists_of(pointer: str) -> str:
    """The lists on the way to a place: `/spec/containers/0/image` is `/spec/containers/*`."""
    path = _POSITION.sub("/*", pointer)
    return path[: path.rfind("/*") + 2] if "/*" in path else ""
