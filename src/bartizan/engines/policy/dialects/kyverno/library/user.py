"""`user.parseServiceAccount`: whose a user name is that a service account has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from bartizan.lang.cel import Overload
from bartizan.lang.cel.types import STRING, Type

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE_ACCOUNT: Final = Type("user.ServiceAccount")
_PREFIX: Final = "system:serviceaccount:"


class ServiceAccount(dict[str, Any]):
    """`Name` and `Namespace`; a field that is empty is none for `has`, and empty when it is read."""

    __slots__ = ()
    type_name: ClassVar[str] = SERVICE_ACCOUNT.name

    def __missing__(self, name: str) -> str:
        if name in ("Name", "Namespace"):
            return ""
        raise KeyError(name)


def _parse(user: str) -> ServiceAccount:
    if not user.startswith(_PREFIX):
        return ServiceAccount()
    namespace, colon, name = user[len(_PREFIX) :].partition(":")
    found = {"Name": name, "Namespace": namespace} if colon else {}
    return ServiceAccount({key: value for key, value in found.items() if value})


_PARSE: Final = (Overload((STRING,), SERVICE_ACCOUNT, _parse),)

FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "parseServiceAccount": _PARSE,
    "user.parseServiceAccount": _PARSE,
}
OBJECTS: Final[Mapping[str, Mapping[str, Type]]] = {SERVICE_ACCOUNT.name: {"Name": STRING, "Namespace": STRING}}
