"""Who a certificate was issued to: subject, issuer and extensions of Fulcio, compared with who is wanted.

Source: Fulcio's `docs/oid-info.md`. Texts take wildcards in the peer's
classic kinds, and in its later ones none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bartizan.base import wildcard
from bartizan.engines.policy.signatures.certificates import der_text
from bartizan.engines.policy.signatures.refusal import RefusedError, UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.engines.policy.signatures.certificates import Certificate

_PREFIX: Final = "1.3.6.1.4.1.57264.1."
_ISSUER: Final = f"{_PREFIX}1"
_ISSUER_2: Final = f"{_PREFIX}8"
_RAW: Final = {
    "oidcIssuer": _ISSUER,
    "githubWorkflowTrigger": f"{_PREFIX}2",
    "githubWorkflowSha": f"{_PREFIX}3",
    "githubWorkflowName": f"{_PREFIX}4",
    "githubWorkflowRepository": f"{_PREFIX}5",
    "githubWorkflowRef": f"{_PREFIX}6",
}
"""Names of extensions that policies may use instead of numbers. Their values are plain text; all later ones are DER."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is wanted; what is empty is not asked for.

    `strict` takes texts as they stand, and wants text and expression of a
    subject to hold both.
    """

    subject: str = ""
    subject_expression: str = ""
    issuer: str = ""
    issuer_expression: str = ""
    extensions: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False

    def check(self, certificate: Certificate) -> None:
        """Refuse a certificate of somebody else.

        Raises:
            RefusedError: it is of somebody else; the message says of whom.
            UndecidedError: an expression is malformed.
        """
        if self.subject or self.subject_expression:
            self._compare("subject", (self.subject, self.subject_expression), certificate.names, either=not self.strict)
        if self.issuer or self.issuer_expression:
            self._compare("issuer", (self.issuer, self.issuer_expression), (issuer_of(certificate),), either=False)
        for name, wanted in self.extensions.items():
            found = extension_of(certificate, name)
            if not self._is(wanted, found):
                raise RefusedError(f"certificate extension `{name}` is `{found}`, not `{wanted}`")

    def _is(self, wanted: str, found: str) -> bool:
        return wanted == found if self.strict else wildcard.match(wanted, found)

    def _compare(self, what: str, wanted: tuple[str, str], found: tuple[str, ...], *, either: bool) -> None:
        """Compare with a text and an expression: of a subject `either` may do, of an issuer both must hold."""
        text, expression = wanted
        tests: list[bool] = []
        if text:
            tests.append(any(self._is(text, one) for one in found))
        if expression:
            tests.append(any(_searches(expression, one) for one in found))
        if not (any(tests) if either else all(tests)):
            raise RefusedError(f"the {what} is `{', '.join(found)}`, not `{text or expression}`")


def issuer_of(certificate: Certificate) -> str:
    """Who vouched for the identity: the newer extension before the older."""
    newer = certificate.extensions.get(_ISSUER_2)
    return der_text(newer) if newer is not None else certificate.extensions.get(_ISSUER, b"").decode(errors="replace")


def extension_of(certificate: Certificate, name: str) -> str:
    """The text of an extension, by number or by its known name.

    Raises:
        RefusedError: there is no such extension.
    """
    oid = _RAW.get(name, name)
    if oid == _ISSUER:
        return issuer_of(certificate)
    if not oid.startswith(_PREFIX):
        raise RefusedError(f"`{name}` is no extension of a Fulcio certificate")
    value = certificate.extensions.get(oid, b"")
    return value.decode(errors="replace") if oid in _RAW.values() else der_text(value)


def _searches(expression: str, text: str) -> bool:
    from bartizan.base.errors import SpecError
    from bartizan.base.regex import compile_regex

    try:
        return compile_regex(expression).search(text) is not None
    except SpecError as error:
        raise UndecidedError(f"malformed expression `{expression}`: {error.message}") from error
