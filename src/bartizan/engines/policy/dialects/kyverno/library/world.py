"""What a request gives to the functions of a policy: answers, a clock, chance, and where to put what is generated.

The engine is pure, so a function that needs any of these gets the `World`
when it is called: as the value of a context name, or as the ambient
argument that `lang.cel` hands to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from bartizan.engines.policy.lookup import LookupFailedError, RegistryAccess
from bartizan.lang.cel import CelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.lookup import Lookup, Question
    from bartizan.lang.jmespath import Ambient

WORLD: Final = "@world"
"""The name that the world has among those of an expression; none can be written so."""
_DENIED: Final = frozenset({401, 403})
MAX_TEXT: Final = 64 * 1024 * 1024
"""The longest text that any function here reads, or makes out of less; more is an attack."""


_ORDINARY: Final = RegistryAccess()


class Verifier(Protocol):
    """Checks signatures of images by what an ImageValidatingPolicy says; the kind gives one.

    Each method may raise `LookupFailedError`, where a registry cannot be asked.
    """

    def is_meant(self, image: str) -> bool:
        """Whether the policy is for an image; it may raise `CelError`, for an expression may decide it."""
        ...

    def attestation(self, name: str) -> JsonObject | None:
        """What the policy says of an attestation it names."""
        ...

    def is_signed(self, image: str, attestor: JsonObject) -> bool:
        """Whether an attestor signed an image."""
        ...

    def is_attested(self, image: str, attestation: JsonObject, attestor: JsonObject) -> bool:
        """Whether an attestor signed an attestation of an image; its payload is kept for `payload`."""
        ...

    def payload(self, image: str, attestation: JsonObject) -> Json:
        """What an attestation says; `LookupFailedError` for an in-toto one that was not verified before."""
        ...

    def record(self, image: str, *, verified: bool) -> None:
        """Note what came of verifying an image."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What one request gives; `namespace` is the policy's own, empty for one of the whole cluster.

    `generated` takes what `generator.apply` is given. `access` is how the
    policy says registries are to be reached.
    """

    lookup: Lookup
    ambient: Ambient
    namespace: str = ""
    generated: list[JsonObject] = field(default_factory=list)
    verifier: Verifier | None = None
    access: RegistryAccess = _ORDINARY

    def answer(self, question: Question, what: str) -> Json:
        """The answer to a question; `what` begins the message where there is none.

        Raises:
            CelError: there is none, or it could not be had.
        """
        try:
            return self.lookup.answer(question)
        except LookupFailedError as error:
            raise failed(what, error) from error


def failed(what: str, error: Exception) -> CelError:
    """The error of a function that could not do `what`, in the peer's words."""
    denied = getattr(error, "status", 0) in _DENIED
    return CelError(f"{what}: permission denied: {error}" if denied else f"{what}: {error}")


def too_long(what: str) -> NoReturn:
    """Refuse a text beyond `MAX_TEXT`."""
    raise CelError(f"{what}: more than {MAX_TEXT} characters")


def bounded(text: str, what: str) -> str:
    """A text that is not too long."""
    return text if len(text) <= MAX_TEXT else too_long(what)


_UNFIT: Final[Mapping[type, str]] = {
    bool: "type conversion error from bool to '{}'",
    int: "unsupported type conversion from 'int' to {}",
    float: "type conversion error from Double to '{}'",
    str: "unsupported native conversion from string to '{}'",
    bytes: "type conversion error from Bytes to '{}'",
    type(None): "type conversion error from 'null_type' to '{}'",
    list: "type conversion error from list to '{}'",
    dict: "type conversion error from map to '{}'",
}


def unfit(value: object, wanted: str) -> str:
    """What the language says of a value that is none of a type of Go."""
    return _UNFIT.get(value.__class__, "unsupported type conversion to '{}'").format(wanted)
