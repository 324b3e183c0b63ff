"""Who signs in the tests, and the shelves that cases describe in data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.registry.images import build_artifact, build_image
from tests.signatures.authority import NOW, Issued, Sigstore, issue, new_key, public_pem
from tests.signatures.cosign import Layer, attestation_layer, b64, bundle, signature_layer
from tests.signatures.notation import cose, jws
from tests.signatures.shelf import Artifact, Shelf

if TYPE_CHECKING:
    from tests.signatures.authority import PrivateKey

WORKFLOW: Final = "https://github.com/acme/app/.github/workflows/release.yaml@refs/heads/main"
OIDC: Final = "https://token.actions.githubusercontent.com"
_HOUR: Final = timedelta(hours=1)
_FORMS: Final = {"jws": ("application/jose+json", jws), "cose": ("application/cose", cose)}


@dataclass(frozen=True)
class Cast:
    """Everybody, made once: keys take a while."""

    sigstore: Sigstore = field(default_factory=Sigstore)
    other_sigstore: Sigstore = field(default_factory=Sigstore)
    company: Issued = field(default_factory=lambda: issue("company root", ca=True))
    signers: dict[str, PrivateKey | Issued] = field(default_factory=dict)

    def __post_init__(self) -> None:
        past = NOW - timedelta(days=3)
        workflow = {"2": "push", "3": "0a1b", "5": "acme/app", "6": "refs/heads/main", "19": "release"}
        self.signers.update(
            {
                "alice": new_key(),
                "bob": new_key(),
                "carol": rsa.generate_private_key(65537, 2048),
                "dora": new_key(ec.SECP384R1()),
                "ci": self.sigstore.issue(WORKFLOW, OIDC, fulcio=workflow),
                "person": self.sigstore.issue("erin@example.com", "https://accounts.example.com"),
                "ci-of-yesterday": self.sigstore.issue(WORKFLOW, OIDC, start=NOW - timedelta(days=1) + _HOUR),
                "unlogged": self.sigstore.issue(WORKFLOW, OIDC, log=None),
                "logged-elsewhere": self.sigstore.issue(WORKFLOW, OIDC, log=self.other_sigstore.log),
                "stranger": self.other_sigstore.issue(WORKFLOW, OIDC),
                "web-server": self.sigstore.issue(WORKFLOW, OIDC, usages=(ExtendedKeyUsageOID.SERVER_AUTH,)),
                "holder": issue("holder", self.company),
                "holder-rsa": issue("holder with rsa", self.company, key=rsa.generate_private_key(65537, 2048)),
                "expired-holder": issue("expired holder", self.company, start=past, end=past + _HOUR),
                "alone": issue("alone"),
                "imposter": issue("holder", issue("company root", ca=True)),
            }
        )

    def texts(self) -> dict[str, str]:
        """What cases may name by `$name`."""
        found = {name: public_pem(who.key if isinstance(who, Issued) else who) for name, who in self.signers.items()}
        certificates = {f"{name}-cert": who.pem for name, who in self.signers.items() if isinstance(who, Issued)}
        return {
            **found,
            **certificates,
            "root": self.sigstore.root.pem + self.sigstore.fulcio.pem,
            "rekor": public_pem(self.sigstore.rekor),
            "other-rekor": public_pem(self.other_sigstore.rekor),
            "ctlog": public_pem(self.sigstore.log.key),
            "company": self.company.pem,
            "trusted-root": json.dumps(self.sigstore.trusted_root()),
            "other-trusted-root": json.dumps(self.other_sigstore.trusted_root()),
            "workflow": WORKFLOW,
            "oidc": OIDC,
        }

    def fill(self, value: Any) -> Any:
        """A case's data with names in place of what they stand for."""
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, str):
            for name, text in sorted(self.texts().items(), key=lambda pair: -len(pair[0])):
                value = value.replace(f"${name};", text)
        return value

    def shelf(self, holds: list[dict[str, Any]]) -> Shelf:
        """The shelf that a case describes."""
        shelf = Shelf()
        for item in holds:
            ((kind, details),) = item.items()
            getattr(self, f"_{kind}")(shelf, dict(details))
        return shelf

    def _about(self, shelf: Shelf, details: dict[str, Any]) -> dict[str, Any]:
        other = build_image("another")
        return (other if details.pop("of", "") == "another" else shelf.image).descriptor()

    def _common(self, details: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        logged = details.pop("logged", None)
        if logged:
            made["logged"] = self.other_sigstore if logged == "elsewhere" else self.sigstore
        if "minutes_ago" in details:
            made["at"] = NOW - timedelta(minutes=details.pop("minutes_ago"))
        if "annotations" in details:
            made["annotations"] = details.pop("annotations")
        return made

    def _signature(self, shelf: Shelf, details: dict[str, Any]) -> None:
        spoil = details.pop("spoil", "")
        digest = self._about(shelf, details)["digest"]
        layer = signature_layer(digest, self.signers[details.pop("by")], **self._common(details))
        assert not details, details
        shelf.signatures.append(_spoiled(layer, spoil))

    def _attestation(self, shelf: Shelf, details: dict[str, Any]) -> None:
        spoil = details.pop("spoil", "")
        digest = self._about(shelf, details)["digest"]
        signer, kind = self.signers[details.pop("by")], details.pop("type")
        predicate = details.pop("predicate", {})
        layer = attestation_layer(digest, signer, kind, predicate, **self._common(details))
        assert not details, details
        shelf.attestations.append(_spoiled(layer, spoil))

    def _bundle(self, shelf: Shelf, details: dict[str, Any]) -> None:
        spoil = details.pop("spoil", "")
        digest = self._about(shelf, details)["digest"]
        signer = self.signers[details.pop("by")]
        more = {"kind": details.pop("type")} if "type" in details else {}
        predicate = details.pop("predicate", {})
        data = bundle(digest, signer, predicate=predicate, **more, **self._common(details))
        assert not details, details
        if spoil:
            data = json.dumps(_change(json.loads(data), spoil.split("/"))).encode()
        shelf.bundles.append(data)

    def _notary(self, shelf: Shelf, details: dict[str, Any]) -> None:
        shelf.envelopes.append(self._envelope(self._about(shelf, details), details))

    def _artifact(self, shelf: Shelf, details: dict[str, Any]) -> None:
        content = json.dumps(details.pop("content")).encode()
        kind = details.pop("type")
        subject = build_image("another") if details.pop("of", "") == "another" else shelf.image
        built = build_artifact(content, kind, subject)
        artifact = Artifact(built, kind, content)
        if "by" in details:
            artifact.envelopes.append(self._envelope(built.descriptor(), details))
        shelf.artifacts.append(artifact)

    def _envelope(self, target: dict[str, Any], details: dict[str, Any]) -> tuple[str, bytes]:
        kind, make = _FORMS[details.pop("form", "jws")]
        signer = self.signers[details.pop("by")]
        assert isinstance(signer, Issued)
        more: dict[str, Any] = {}
        if "expired_minutes_ago" in details:
            more["expiry"] = NOW - timedelta(seconds=60 * details.pop("expired_minutes_ago"))
        more |= details.pop("headers", {})
        spoil = details.pop("spoil", "")
        data = make({key: target[key] for key in ("mediaType", "digest", "size")}, signer, **more)
        assert not details, details
        if spoil:
            at = data.index(b'"payload": "') + 20 if spoil == "payload" else len(data) - 8
            data = data[:at] + bytes([data[at] ^ 1 if chr(data[at] ^ 1).isalnum() else data[at] ^ 2]) + data[at + 1 :]
        return kind, data


def _spoiled(layer: Layer, spoil: str) -> Layer:
    """A layer with one part that is not as it was signed."""
    match spoil:
        case "":
            return layer
        case "payload":
            return replace(layer, payload=layer.payload + b" ")
        case "signature":
            return replace(layer, annotations={**layer.annotations, _SIGNATURE: b64(b"no signature")})
        case "log":
            entry = json.loads(layer.annotations[_LOG])
            entry["Payload"]["integratedTime"] -= 60
            return replace(layer, annotations={**layer.annotations, _LOG: json.dumps(entry)})
        case "certificate":
            return replace(layer, annotations={**layer.annotations, _CERTIFICATE: "-----BEGIN CERTIFICATE-----"})
        case _:
            raise ValueError(spoil)


def _change(document: Any, steps: list[str]) -> Any:
    """A document with one base64 text or number that is another."""
    head, *rest = steps
    key: Any = int(head) if isinstance(document, list) else head
    value = document[key]
    if rest:
        new = _change(value, rest)
    elif value.isdecimal():
        new = str(int(value) + 1)
    else:
        new = ("B" if value[10] != "B" else "C").join((value[:10], value[11:]))
    if isinstance(document, list):
        return [*document[:key], new, *document[key + 1 :]]
    return {**document, key: new}


_SIGNATURE: Final = "dev.cosignproject.cosign/signature"
_LOG: Final = "dev.sigstore.cosign/bundle"
_CERTIFICATE: Final = "dev.sigstore.cosign/certificate"


@lru_cache(maxsize=1)
def cast() -> Cast:
    """Everybody."""
    return Cast()
