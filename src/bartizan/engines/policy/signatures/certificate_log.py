"""Signed certificate timestamps: that a log of certificates has seen the one that signed.

Source: RFC 6962, 3.2. Only those inside the certificate count, which is where
Fulcio puts them.
"""

from __future__ import annotations

import struct
from datetime import UTC
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.certificate_transparency import LogEntryType

from bartizan.engines.policy.signatures.keys import SHA256, is_signed_by, log_id
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509.certificate_transparency import SignedCertificateTimestamp

    from bartizan.engines.policy.signatures.certificates import Certificate
    from bartizan.engines.policy.signatures.trust import Logs

_MAX_TIMESTAMPS = 16


def check_certificate_logged(chain: Sequence[Certificate], logs: Logs) -> None:
    """Check that a trusted log has seen the first certificate of `chain`, whose issuer is the second.

    Raises:
        RefusedError: none has.
    """
    leaf = chain[0]
    if len(chain) < 2:
        raise RefusedError("a certificate without an issuer cannot be in a certificate log")
    try:
        found = leaf.inner.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
    except x509.ExtensionNotFound as error:
        raise RefusedError("the certificate has no timestamp of a certificate log") from error
    for timestamp in list(found.value)[:_MAX_TIMESTAMPS]:
        if _is_from(timestamp, leaf, chain[1], logs):
            return
    raise RefusedError("no trusted certificate log has seen the certificate")


def _is_from(timestamp: SignedCertificateTimestamp, leaf: Certificate, issuer: Certificate, logs: Logs) -> bool:
    if timestamp.entry_type is not LogEntryType.PRE_CERTIFICATE:
        return False
    at = timestamp.timestamp.replace(tzinfo=UTC)
    log = next((one for one in logs if one.id == timestamp.log_id and one.span.covers(at)), None)
    if log is None:
        return False
    try:
        before, algorithm = leaf.inner.tbs_precertificate_bytes, timestamp.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return False
    milliseconds = int(at.timestamp()) * 1000 + at.microsecond // 1000
    signed = b"".join(
        (
            struct.pack("!BBQH", 0, 0, milliseconds, LogEntryType.PRE_CERTIFICATE.value),
            log_id(issuer.key),
            len(before).to_bytes(3, "big"),
            before,
            struct.pack("!H", len(timestamp.extension_bytes)),
            timestamp.extension_bytes,
        )
    )
    return algorithm.name == SHA256.name and is_signed_by(log.key, timestamp.signature, signed)
