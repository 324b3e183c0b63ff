"""Timestamps of an authority (RFC 3161): that a signature was there at some time.

The CMS envelope is read and checked by `rfc3161-client`, which comes with
`sigstore` and takes 30 ms to import: only where a timestamp is to be checked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.signatures.certificates import MALFORMED, quietly
from bartizan.engines.policy.signatures.decoding import MAX_BYTES
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.engines.policy.signatures.trust import Authority

MAX_TIMESTAMPS: Final = 32


def check_timestamp(response: bytes, data: bytes, authorities: Sequence[Authority]) -> datetime:
    """The time at which a trusted authority saw `data`.

    Raises:
        RefusedError: it is malformed, of other data, or of an authority that is not trusted.
    """
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    if len(response) > MAX_BYTES:
        raise RefusedError("the timestamp is far too long")
    try:
        with quietly():
            stamp = decode_timestamp_response(response)
            at = stamp.tst_info.gen_time
    except MALFORMED as error:
        raise RefusedError("the timestamp is malformed") from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    reason = "no timestamp authority is trusted"
    for authority in authorities:
        builder = VerifierBuilder(
            tsa_certificate=authority.leaf.inner if authority.leaf else None,
            intermediates=[one.inner for one in authority.between],
            roots=[one.inner for one in authority.roots],
        )
        try:
            with quietly():
                builder.build().verify_message(stamp, data)
        except (VerificationError, *MALFORMED) as error:
            reason = str(error).rstrip(".")
            continue
        if authority.span.covers(at):
            return at
        reason = f"the authority was not trusted at {at:%Y-%m-%d %H:%M:%S}"
    raise RefusedError(f"the timestamp does not verify: {reason[:1].lower()}{reason[1:200]}")
