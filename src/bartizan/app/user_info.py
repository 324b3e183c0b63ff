"""UserInfo files: who asks, in a test or a scan with `--user-info`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.loose import loose
from bartizan.model.request import UserInfo

if TYPE_CHECKING:
    from bartizan.base.json import Json


def read_user_info(document: Json) -> UserInfo:
    """Read a UserInfo document: roles, cluster roles, and the user's name and groups."""
    body = loose(document)
    user = loose(body.get("userinfo"))
    return UserInfo(
        username=str(user.get("username") or ""),
        groups=tuple(map(str, user.get("groups") or ())),
        roles=tuple(map(str, body.get("roles") or ())),
        cluster_roles=tuple(map(str, body.get("clusterroles") or ())),
        uid=str(user.get("uid") or ""),
        extra=user.get("extra") or {},
    )
