"""What one attestor of a policy demands of a signature, with everything that deciding it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bartizan.engines.policy.signatures.certificate_log import check_certificate_logged
from bartizan.engines.policy.signatures.certificates import build_chain, check_times
from bartizan.engines.policy.signatures.identity import Identity
from bartizan.engines.policy.signatures.keys import SHA256
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from bartizan.base.json import Json
    from bartizan.engines.policy.signatures.certificates import Certificate
    from bartizan.engines.policy.signatures.keys import PublicKey
    from bartizan.engines.policy.signatures.trust import Authority, Logs


@dataclass(frozen=True, slots=True)
class Demand:
    """A key, or a certificate that comes with the signature and leads to one of `authorities`.

    `transparency_logs` and `certificate_logs` are `None` where the policy
    says to ignore them; an empty tuple believes no log at all. `holder` is
    the certificate of the policy itself that `key` was taken from.
    """

    now: datetime
    key: PublicKey | None = None
    algorithm: HashAlgorithm = field(default_factory=lambda: SHA256)
    authorities: tuple[Authority, ...] = ()
    identity: Identity = field(default_factory=Identity)
    transparency_logs: Logs | None = None
    certificate_logs: Logs | None = None
    timestamp_authorities: tuple[Authority, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    holder: tuple[Certificate, ...] = ()

    def accept(
        self, leaf: Certificate, between: Sequence[Certificate], times: Iterable[datetime], logs: Logs | None
    ) -> None:
        """Accept a certificate that comes with a signature, at every time the signature was seen, or else now.

        Raises:
            RefusedError: it leads to nobody trusted, was not good at one of those times, or no log has seen it.
        """
        moments = list(times) or [self.now]
        reason = RefusedError("no certificate authority is trusted")
        for authority in self.authorities:
            try:
                chain = build_chain(leaf, (*authority.between, *between), authority.roots)
                for at in moments:
                    check_times(chain, at)
                    if not authority.span.covers(at):
                        raise RefusedError(f"its authority was not trusted at {at:%Y-%m-%d %H:%M:%S}")  # noqa: TRY301 (tried with the next authority)
            except RefusedError as error:
                reason = error
                continue
            if logs is not None:
                check_certificate_logged(chain, logs)
            return
        raise reason

    def check_holder(self, times: Iterable[datetime]) -> None:
        """Refuse where the policy's own certificate was not good when it signed.

        Raises:
            RefusedError: it had expired, or was not good yet.
        """
        for at in list(times) or [self.now]:
            check_times(self.holder, at)

    def check_annotations(self, found: Mapping[str, Json]) -> None:
        """Refuse a signature whose maker did not say what the policy asks for.

        Raises:
            RefusedError: an annotation is missing or another.
        """
        for name, wanted in self.annotations.items():
            if found.get(name) != wanted:
                raise RefusedError(f"annotation `{name}` is `{found.get(name, '')}`, not `{wanted}`")
