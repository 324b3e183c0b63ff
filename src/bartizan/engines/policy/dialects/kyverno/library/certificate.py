"""`x509.decode`: a certificate, or a request for one, by the field names of Go's `crypto/x509`; RSA keys only.

Source: the peer's `libs/x509`, which writes some fields of a certificate and
all of a request. Numbers are doubles, as of all decoded JSON; a serial
number is cut to 64 bits.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library.values import doubles
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import DYN, STRING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json

_MAX_CHARS: Final = 1024 * 1024
_BEGIN: Final = re.compile(r"^-----BEGIN ([^\n-]{1,64})-----[ \t\r]*$", re.MULTILINE)
_MAX_BEGINNINGS: Final = 100
_KINDS: Final = ("CERTIFICATE", "CERTIFICATE REQUEST")
_RSA: Final = 1
_LEFT_OUT: Final = frozenset(
    {
        *("Subject", "SubjectKeyId", "SignatureAlgorithm", "URIs", "UnhandledCriticalExtensions", "UnknownExtKeyUsage"),
        *("Version", "Policies", "PolicyMappings", "InhibitAnyPolicy", "InhibitAnyPolicyZero", "InhibitPolicyMapping"),
        *("InhibitPolicyMappingZero", "RequireExplicitPolicy", "RequireExplicitPolicyZero"),
    }
)


def _decode(text: str) -> Json:
    kind, block = _first_block(text) if len(text) <= _MAX_CHARS else ("", "")
    if not block:
        raise CelError("failed to decode PEM block")
    if kind not in _KINDS:
        raise CelError("PEM block neither contains a CERTIFICATE or CERTIFICATE REQUEST")
    from bartizan.lang.jmespath import JmesPathError  # late: brings the reader of certificates
    from bartizan.lang.jmespath.library.certificates import decode_pem

    try:
        decoded: Any = decode_pem(block)
    except JmesPathError as error:
        raise CelError(f"x509: malformed {kind.lower()}") from error
    if decoded["PublicKeyAlgorithm"] != _RSA:
        raise CelError("certificate should use rsa algorithm")
    if kind == "CERTIFICATE":
        decoded = {key: value for key, value in decoded.items() if key not in _LEFT_OUT}
        decoded["SerialNumber"] = _int64(decoded["SerialNumber"])
    return doubles(decoded)


def _first_block(text: str) -> tuple[str, str]:
    """Kind and text of the first block that has an end; empty where there is none."""
    for begin in islice(_BEGIN.finditer(text), _MAX_BEGINNINGS):
        mark = f"\n-----END {begin[1]}-----"
        end = text.find(mark, begin.end())
        if end >= 0:
            return begin[1], f"{text[begin.start() : end]}{mark}\n"
    return "", ""


def _int64(value: int) -> int:
    low = value & (2**64 - 1)
    return low - 2**64 if low >= 2**63 else low


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {"x509.decode": (Overload((STRING,), DYN, _decode),)}
