"""Credentials that people already have: Docker's configuration, pull secrets, helper programs.

A `Keychain` is one such document as plain data, so it can be told apart
from others and nothing is run or read before a registry asks who we are.
Source: Docker's config.json; for the match of hosts, the kubelet's rules
("imagePullSecrets": globs a label, longest path first).
"""

from __future__ import annotations

import base64
import binascii
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import orjson

from bartizan.base.errors import SourceError, SpecError
from bartizan.sources.registry.address import DOCKER_HUB, Place

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject

HELPER_S: Final = 30
"""For a helper program: some ask a cloud, none asks a person."""
_HELPER_BYTES: Final = 64 << 10
_HUB_KEY: Final = "https://index.docker.io/v1/"
_TOKEN_USER: Final = "<token>"  # noqa: S105 (the word of Docker's helper protocol, no secret)
_NO_CREDENTIALS: Final = "credentials not found"
_NAME_CHARS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@dataclass(frozen=True, slots=True)
class Credential:
    """Who we are: a user with a password, or with a token that buys others, or a token for the registry itself."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.username or self.password or self.identity_token or self.registry_token)

    @property
    def basic(self) -> str:
        """The value of an `Authorization` header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Keychain:
    """One document of credentials: pairs of a registry and who we are there, and helper programs to ask.

    `helpers` are programs by registry, `store` the one for all others.
    """

    entries: tuple[tuple[str, Credential], ...] = ()
    helpers: tuple[tuple[str, str], ...] = ()
    store: str = ""


def read_docker_config(document: Json, what: str, *, runs_helpers: bool) -> Keychain:
    """Read Docker's `config.json`, or the `.dockerconfigjson` of a Secret.

    `runs_helpers` says whether the document may name programs: the user's
    own may, one from a cluster may not. A `.dockercfg` of old, which is the
    `auths` alone, is read too.

    Raises:
        SpecError: the document is not what it must be.
    """
    if not isinstance(document, dict):
        raise SpecError(f"{what} is no JSON object", hint="Log in again with `docker login`.")
    known = {"auths", "credHelpers", "credsStore"} & document.keys()
    auths = document.get("auths") if known or not _is_old(document) else document
    entries = tuple((key, _credential(entry, f"{what}, `{key}`")) for key, entry in _object(auths, what).items())
    if not runs_helpers:
        return Keychain(entries)
    helpers = tuple((host, str(name)) for host, name in _object(document.get("credHelpers"), what).items())
    return Keychain(entries, helpers, str(document.get("credsStore") or ""))


def read_pull_secret(secret: JsonObject) -> Keychain:
    """The credentials of a Secret of type `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`.

    Raises:
        SpecError: it is another Secret, or its content cannot be read.
    """
    name = str((secret.get("metadata") or {}).get("name") or "")
    what, data = f"Secret `{name}`", secret.get("data")
    for key in (".dockerconfigjson", ".dockercfg"):
        text = data.get(key) if isinstance(data, dict) else None
        if isinstance(text, str):
            try:
                document = orjson.loads(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError) as error:
                raise SpecError(f"{what}: `{key}` cannot be read: {error}", hint=_MAKE_ONE) from error
            return read_docker_config(document, what, runs_helpers=False)
    raise SpecError(f"{what} has no credentials of registries", hint=_MAKE_ONE)


_MAKE_ONE: Final = "Make it with `kubectl create secret docker-registry`."


def find_credential(keychain: Keychain, place: Place) -> Credential | None:
    """Who we are at a repository, from the most particular entry; `None` for a stranger.

    Runs a helper program where the keychain names one for the host.

    Raises:
        SourceError: the helper program fails.
    """
    host = _HUB_KEY if place.host == DOCKER_HUB else place.host
    for registry, name in keychain.helpers:
        if _fits(_plain(registry), place) and (found := ask_helper(name, host)):
            return found
    fitting = [(len(_plain(key)), found) for key, found in keychain.entries if found and _fits(_plain(key), place)]
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]
    return ask_helper(keychain.store, host) if keychain.store else None


def ask_helper(name: str, host: str) -> Credential | None:
    """Ask `docker-credential-NAME` who we are; `None` where it does not know.

    Source: Docker's credential helper protocol: `get`, the host on standard
    input, JSON on standard output.

    Raises:
        SourceError: the program is missing, fails, or does not end.
    """
    if not name or not set(name) <= _NAME_CHARS:
        raise SourceError(f"`{name[:100]}` is no name of a credential helper", hint="Correct Docker's config.json.")
    program = f"docker-credential-{name}"
    hint = f"Run `echo {host} | {program} get` to see what it says."
    try:
        done = subprocess.run(  # noqa: S603 (the user's own configuration names it, as Docker runs it)
            [program, "get"], input=host.encode(), capture_output=True, timeout=HELPER_S, check=False
        )
    except FileNotFoundError as error:
        raise SourceError(
            f"the credential helper `{program}` is not installed", hint="Install it, or correct Docker's config.json."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"the credential helper `{program}` does not end", hint=hint) from error
    except OSError as error:
        raise SourceError(f"the credential helper `{program}` cannot be run: {error.strerror}", hint=hint) from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        if _NO_CREDENTIALS in said.lower():
            return None
        raise SourceError(f"the credential helper `{program}` failed: {said[:200]}", hint=hint)
    try:
        found = orjson.loads(done.stdout[:_HELPER_BYTES])
        user, secret = found["Username"], found["Secret"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SourceError(f"the credential helper `{program}` answers without `Username`", hint=hint) from error
    if user == _TOKEN_USER:
        return Credential(identity_token=str(secret))
    return Credential(str(user), str(secret)) or None


def _is_old(document: JsonObject) -> bool:
    return bool(document) and all(isinstance(entry, dict) and "auth" in entry for entry in document.values())


def _object(value: Any, what: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise SpecError(f"{what}: `auths` and `credHelpers` are objects", hint="Log in again with `docker login`.")
    return value or {}


def _credential(entry: Any, what: str) -> Credential:
    if not isinstance(entry, dict):
        raise SpecError(f"{what}: an entry is an object", hint="Log in again with `docker login`.")
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        try:
            decoded = base64.b64decode(str(entry["auth"]), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise SpecError(f"{what}: `auth` is not base64", hint="Log in again with `docker login`.") from error
        user, colon, password = decoded.partition(":")
        if not colon:
            raise SpecError(f"{what}: `auth` is not a user and a password", hint="Log in again with `docker login`.")
        password = password.rstrip("\0")
    return Credential(user, password, str(entry.get("identitytoken") or ""), str(entry.get("registrytoken") or ""))


def _plain(key: str) -> str:
    """A key of `auths` as `host[:port][/path]`: people and programs write it as a URL, some with the API's version."""
    rest = key.partition("://")[2] or key
    host, _, path = rest.rstrip("/").partition("/")
    path = "" if path in ("v1", "v2") else path
    host = DOCKER_HUB if host in ("docker.io", "registry-1.docker.io") else host
    return f"{host}/{path}" if path else host


def _fits(key: str, place: Place) -> bool:
    host, _, path = key.partition("/")
    if path and not f"{place.repository}/".startswith(f"{path.rstrip('/')}/"):
        return False
    if host == place.host:
        return True
    name, _, port = host.partition(":")
    wanted, _, wanted_port = place.host.partition(":")
    labels, wanted_labels = name.split("."), wanted.split(".")
    return (
        "*" in name
        and port == wanted_port
        and len(labels) == len(wanted_labels)
        and all(map(fnmatchcase, wanted_labels, labels))
    )
