"""`x509_decode`: certificates and certificate requests with the field names of Go's `crypto/x509`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from bartizan.lang.jmespath.errors import JmesPathError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
_PURPOSES: Final = {
    "2.5.29.37.0": 0,
    **{f"1.3.6.1.5.5.7.3.{number}": number for number in range(1, 10)},
    "1.3.6.1.4.1.311.10.3.3": 10,
    "2.16.840.1.113730.4.1": 11,
    "1.3.6.1.4.1.311.2.1.22": 12,
    "1.3.6.1.4.1.311.61.1.1": 13,
}
_EXTENSION_REQUEST: Final = [1, 2, 840, 113549, 1, 9, 14]
_RFC3339: Final = "%Y-%m-%dT%H:%M:%SZ"
_UNREAD_FIELDS: Final = (
    *("ExcludedDNSDomains", "ExcludedEmailAddresses", "ExcludedIPRanges", "ExcludedURIDomains"),
    *("PermittedDNSDomains", "PermittedEmailAddresses", "PermittedIPRanges", "PermittedURIDomains"),
    *("Policies", "PolicyIdentifiers", "PolicyMappings", "UnhandledCriticalExtensions"),
)
_ZERO_FIELDS: Final[Mapping[str, Any]] = {
    "InhibitAnyPolicy": 0,
    "InhibitAnyPolicyZero": False,
    "InhibitPolicyMapping": 0,
    "InhibitPolicyMappingZero": False,
    "PermittedDNSDomainsCritical": False,
    "RequireExplicitPolicy": 0,
    "RequireExplicitPolicyZero": False,
}
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
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
    """Decode the first PEM block: every field that Go's decoder fills, or leaves null for want of an extension.

    Name constraints, policies and policy mappings are left null: no policy was
    seen to read them, and `Extensions` has their bytes. Other keys than RSA,
    which the peer refuses, are described too.

    Raises:
        JmesPathError: it is neither a certificate nor a request for one.
    """
    data = text.encode()
    try:
        if _REQUEST in text:
            return _request(x509.load_pem_x509_csr(data))
        return _certificate(x509.load_pem_x509_certificate(data))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise JmesPathError("`x509_decode` takes a certificate, or a request for one, in PEM") from error


def _certificate(certificate: x509.Certificate) -> JsonObject:
    return {
        **dict.fromkeys(_UNREAD_FIELDS),
        **_ZERO_FIELDS,
        **_common(certificate),
        **_constraints(certificate.extensions),
        **_usages(certificate.extensions),
        **_distribution(certificate.extensions),
        "RawTBSCertificate": _encoded(certificate.tbs_certificate_bytes),
        "RawIssuer": _encoded(certificate.issuer.public_bytes()),
        "Version": certificate.version.value + 1,
        "SerialNumber": certificate.serial_number,
        "Issuer": _name(certificate.issuer),
        "NotBefore": certificate.not_valid_before_utc.strftime(_RFC3339),
        "NotAfter": certificate.not_valid_after_utc.strftime(_RFC3339),
    }


def _request(request: x509.CertificateSigningRequest) -> JsonObject:
    extensions = _extensions(request.extensions)
    wrapped = [[{"Type": item["Id"], "Value": item["Value"]} for item in extensions]] if extensions else None
    return {
        **_common(request),
        "RawTBSCertificateRequest": _encoded(request.tbs_certrequest_bytes),
        "Version": 0,
        "Attributes": [{"Type": _EXTENSION_REQUEST, "Value": wrapped}] if wrapped else None,
    }


def _common(document: x509.Certificate | x509.CertificateSigningRequest) -> JsonObject:
    key = document.public_key()
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {
        "Raw": _encoded(document.public_bytes(serialization.Encoding.DER)),
        "RawSubject": _encoded(document.subject.public_bytes()),
        "RawSubjectPublicKeyInfo": _encoded(info),
        "Signature": _encoded(document.signature),
        "SignatureAlgorithm": _SIGNATURES.get(document.signature_algorithm_oid.dotted_string, 0),
        "PublicKeyAlgorithm": next((number for kind, number in _KEY_ALGORITHMS if isinstance(key, kind)), 0),
        "PublicKey": _key(key),
        "Subject": _name(document.subject),
        "Extensions": _extensions(document.extensions) or None,
        "ExtraExtensions": None,
        **_alternative_names(document.extensions),
    }


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _oid(oid: x509.ObjectIdentifier) -> list[int]:
    return [int(part) for part in oid.dotted_string.split(".")]


def _extensions(extensions: x509.Extensions) -> list[JsonObject]:
    return [
        {"Id": _oid(item.oid), "Critical": item.critical, "Value": _encoded(item.value.public_bytes())}
        for item in extensions
    ]


def _extension(extensions: x509.Extensions, kind: type[_Extension]) -> _Extension | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _constraints(extensions: x509.Extensions) -> JsonObject:
    found = _extension(extensions, x509.BasicConstraints)
    longest = 0 if found is None else -1 if found.path_length is None else found.path_length
    return {
        "BasicConstraintsValid": found is not None,
        "IsCA": found is not None and found.ca,
        "MaxPathLen": longest,
        "MaxPathLenZero": found is not None and longest == 0,
    }


def _usages(extensions: x509.Extensions) -> JsonObject:
    usage = _extension(extensions, x509.KeyUsage)
    bits = 0
    if usage is not None:
        flags = (
            *(usage.digital_signature, usage.content_commitment, usage.key_encipherment, usage.data_encipherment),
            *(usage.key_agreement, usage.key_cert_sign, usage.crl_sign),
            usage.key_agreement and usage.encipher_only,
            usage.key_agreement and usage.decipher_only,
        )
        bits = sum(1 << place for place, flag in enumerate(flags) if flag)
    purposes = list(_extension(extensions, x509.ExtendedKeyUsage) or ())
    known = [_PURPOSES[item.dotted_string] for item in purposes if item.dotted_string in _PURPOSES]
    return {
        "KeyUsage": bits,
        "ExtKeyUsage": known or None,
        "UnknownExtKeyUsage": [_oid(item) for item in purposes if item.dotted_string not in _PURPOSES] or None,
    }


def _distribution(extensions: x509.Extensions) -> JsonObject:
    """Where else to look: keys of subject and issuer, revocation lists, and issuers."""
    subject = _extension(extensions, x509.SubjectKeyIdentifier)
    authority = _extension(extensions, x509.AuthorityKeyIdentifier)
    access = list(_extension(extensions, x509.AuthorityInformationAccess) or ())
    points = list(_extension(extensions, x509.CRLDistributionPoints) or ())
    issuer_key = authority.key_identifier if authority is not None else None
    return {
        "SubjectKeyId": _encoded(subject.digest) if subject is not None else None,
        "AuthorityKeyId": _encoded(issuer_key) if issuer_key is not None else None,
        "OCSPServer": _places(access, AuthorityInformationAccessOID.OCSP),
        "IssuingCertificateURL": _places(access, AuthorityInformationAccessOID.CA_ISSUERS),
        "CRLDistributionPoints": [name.value for point in points for name in point.full_name or ()] or None,
    }


def _places(access: list[x509.AccessDescription], method: x509.ObjectIdentifier) -> list[str] | None:
    return [str(item.access_location.value) for item in access if item.access_method == method] or None


def _key(key: Any) -> JsonObject:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"N": str(numbers.n), "E": numbers.e}  # as text: the modulus is far beyond what JSON numbers hold
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return {"Curve": {"Name": key.curve.name}, "X": str(point.x), "Y": str(point.y)}
    return {}


def _name(name: x509.Name) -> JsonObject:
    described: JsonObject = {"ExtraNames": None}
    for field, oid in _NAME_FIELDS.items():
        values = [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]
        described[field] = values or None
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    serial = name.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    described["CommonName"] = str(common[0].value) if common else ""
    described["SerialNumber"] = str(serial[0].value) if serial else ""
    described["Names"] = [{"Type": _oid(item.oid), "Value": str(item.value)} for item in name]
    return described


def _alternative_names(extensions: x509.Extensions) -> JsonObject:
    names = _extension(extensions, x509.SubjectAlternativeName)
    if names is None:
        return {"DNSNames": None, "EmailAddresses": None, "IPAddresses": None, "URIs": None}
    return {
        "DNSNames": names.get_values_for_type(x509.DNSName) or None,
        "EmailAddresses": names.get_values_for_type(x509.RFC822Name) or None,
        "IPAddresses": [str(item) for item in names.get_values_for_type(x509.IPAddress)] or None,
        "URIs": [_url(item) for item in names.get_values_for_type(x509.UniformResourceIdentifier)] or None,
    }


def _url(text: str) -> JsonObject:
    """A URL by the fields of Go's `url.URL`."""
    parts = urlsplit(text)
    opaque = not parts.netloc and not parts.path.startswith("/")
    return {
        "Scheme": parts.scheme,
        "Opaque": parts.path if opaque else "",
        "User": {} if "@" in parts.netloc else None,
        "Host": parts.netloc.rpartition("@")[2],
        "Path": "" if opaque else unquote(parts.path),
        "RawPath": "",
        "OmitHost": False,
        "ForceQuery": False,
        "RawQuery": parts.query,
        "Fragment": unquote(parts.fragment),
        "RawFragment": "",
    }
