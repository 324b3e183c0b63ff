"""`x509_decode`: certificates and certificate requests with the field names of Go's `crypto/x509`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtensionOID, NameOID

from bartizan.lang.jmespath.errors import JmesPathError

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject

_REQUEST: Final = "CERTIFICATE REQUEST"
_KEY_ALGORITHMS: Final = ((rsa.RSAPublicKey, 1), (ec.EllipticCurvePublicKey, 3), (ed25519.Ed25519PublicKey, 4))
_SIGNATURES: Final = {
    "1.2.840.113549.1.1.5": 3,
    "1.2.840.113549.1.1.11": 4,
    "1.2.840.113549.1.1.12": 5,
    "1.2.840.113549.1.1.13": 6,
    "1.2.840.10045.4.3.2": 10,
    "1.2.840.10045.4.3.3": 11,
    "1.2.840.10045.4.3.4": 12,
    "1.3.101.112": 16,
}
_NAME_FIELDS: Final = {
    "Country": NameOID.COUNTRY_NAME,
    "Organization": NameOID.ORGANIZATION_NAME,
    "OrganizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "Locality": NameOID.LOCALITY_NAME,
    "Province": NameOID.STATE_OR_PROVINCE_NAME,
    "StreetAddress": NameOID.STREET_ADDRESS,
    "PostalCode": NameOID.POSTAL_CODE,
}


def decode_pem(text: str) -> JsonObject:
    """Decode the first PEM block.

    Raises:
        JmesPathError: it is neither a certificate nor a request for one.
    """
    data = text.encode()
    try:
        if _REQUEST in text:
            return _request(x509.load_pem_x509_csr(data))
        return _certificate(x509.load_pem_x509_certificate(data))
    except ValueError as error:
        raise JmesPathError(f"`x509_decode` takes a certificate or a request in PEM: {error}") from error


def _certificate(certificate: x509.Certificate) -> JsonObject:
    return {
        **_common(certificate),
        "Version": certificate.version.value + 1,
        "SerialNumber": certificate.serial_number,
        "Issuer": _name(certificate.issuer),
        "NotBefore": certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "NotAfter": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "IsCA": _is_authority(certificate),
    }


def _request(request: x509.CertificateSigningRequest) -> JsonObject:
    return {**_common(request), "Version": 0}


def _common(document: x509.Certificate | x509.CertificateSigningRequest) -> JsonObject:
    key = document.public_key()
    names = _alternative_names(document.extensions)
    return {
        "Raw": base64.b64encode(document.public_bytes(serialization.Encoding.DER)).decode(),
        "Signature": base64.b64encode(document.signature).decode(),
        "SignatureAlgorithm": _SIGNATURES.get(document.signature_algorithm_oid.dotted_string, 0),
        "PublicKeyAlgorithm": next((number for kind, number in _KEY_ALGORITHMS if isinstance(key, kind)), 0),
        "PublicKey": _key(key),
        "Subject": _name(document.subject),
        **names,
    }


def _key(key: Any) -> JsonObject:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"N": str(numbers.n), "E": numbers.e}  # as text: the modulus is far beyond what JSON numbers hold
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return {"Curve": {"Name": key.curve.name}, "X": str(point.x), "Y": str(point.y)}
    return {}


def _name(name: x509.Name) -> JsonObject:
    described: JsonObject = {}
    for field, oid in _NAME_FIELDS.items():
        values = [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]
        described[field] = values or None
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    serial = name.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    described["CommonName"] = str(common[0].value) if common else ""
    described["SerialNumber"] = str(serial[0].value) if serial else ""
    described["Names"] = [
        {"Type": [int(part) for part in item.oid.dotted_string.split(".")], "Value": str(item.value)} for item in name
    ]
    return described


def _alternative_names(extensions: x509.Extensions) -> JsonObject:
    try:
        names = extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return {"DNSNames": None, "EmailAddresses": None, "IPAddresses": None, "URIs": None}
    if not isinstance(names, x509.SubjectAlternativeName):
        return {}
    return {
        "DNSNames": names.get_values_for_type(x509.DNSName) or None,
        "EmailAddresses": names.get_values_for_type(x509.RFC822Name) or None,
        "IPAddresses": [str(item) for item in names.get_values_for_type(x509.IPAddress)] or None,
        "URIs": names.get_values_for_type(x509.UniformResourceIdentifier) or None,
    }


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return bool(constraints.value.ca)
