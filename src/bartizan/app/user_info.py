"""UserInfo files: who asks, in a test or a scan with `--user-info`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.fields import Fields
from bartizan.model.request import UserInfo

if TYPE_CHECKING:
    from bartizan.base.json import Json


def read_user_info(document: Json) -> UserInfo:
    """Read a UserInfo document: roles, cluster roles, and the user's name and groups.

    Raises:
        SpecError: a field is not what it must be.
    """
    body = Fields(document)
    body.must_be("UserInfo")
    user = body.fields("userInfo")
    return UserInfo(
        username=user.text("username"),
        groups=user.texts("groups"),
        roles=body.texts("roles"),
        cluster_roles=body.texts("clusterRoles"),
        uid=user.text("uid"),
        extra=user.mapping("extra"),
    )
