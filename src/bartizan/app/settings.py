"""What a plane is told: a YAML file, options of the command and the environment, read in this one place."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from bartizan.app.files import read_file
from bartizan.base.errors import SourceError, SpecError
from bartizan.base.location import Location
from bartizan.stores.upkeep import Retention

_KEY_BYTES: Final = 32
_LAST_PORT: Final = 65535


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cluster of the fleet that this plane reads itself: one of `context`, `folder` and `git`.

    `ref` and `path` are of a Git repository: what to check out, and which folder of it.
    """

    name: str = ""
    context: str = ""
    kubeconfig: str = ""
    folder: str = ""
    git: str = ""
    ref: str = ""
    path: str = ""
    labels: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse what the fields alone cannot.

        Raises:
            ValueError: it is nowhere, or in several places.
        """
        if sum(map(bool, (self.context or self.kubeconfig, self.folder, self.git))) != 1:
            raise ValueError("a cluster is one of `context`, `folder` and `git`")


class Checks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which checks of the catalogue are asked: all, unless names or frameworks are given, or `off`."""

    off: bool = False
    names: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    severity: str = "info"


class Waiving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How findings may be accepted: for how many days at most, and from how many findings on to warn who asks."""

    longest_days: int = 365
    many: int = 100


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. `interval` is of whole checks; `notifications` and `sign_in` are read by their rooms."""

    clusters: tuple[Member, ...] = ()
    policies: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    pod_security: tuple[str, ...] = ()
    checks: Checks = Checks()
    interval_s: int = 3600
    team_label: str = "app.kubernetes.io/part-of"
    public_url: str = ""
    retention: Retention = Retention()
    notifications: dict[str, Any] = {}
    sign_in: dict[str, Any] = {}
    waivers: Waiving = Waiving()


class Place(msgspec.Struct, frozen=True):
    """Where a plane keeps what it knows."""

    folder: Path
    database: str


def read_settings(file: Path | None) -> Settings:
    """Read a settings file; the defaults without one.

    Raises:
        SpecError: it is not YAML, or says what no plane can be told.
    """
    if file is None:
        return Settings()
    import yaml

    try:
        return msgspec.convert(yaml.load(read_file(file), Loader=yaml.CSafeLoader) or {}, Settings)
    except yaml.YAMLError as error:
        raise SpecError(f"the settings are no YAML: {error}", at=Location(str(file))) from error
    except msgspec.ValidationError as error:
        hint = "See `docs/reference/settings.md` for what may be said."
        raise SpecError(f"the settings cannot be used: {error}", at=Location(str(file)), hint=hint) from error


def address_of(words: str) -> tuple[str, int]:
    """An address to serve at, as `127.0.0.1:8420` or `[::1]:8420`.

    Raises:
        SpecError: it is none.
    """
    host, _, port = words.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > _LAST_PORT:
        raise SpecError(f"`{words}` is no address", hint="Name host and port, as 127.0.0.1:8420.")
    return host.strip("[]"), int(port)


def _told(name: str) -> str | None:
    """What the environment says under a name or, by the name with `_FILE`, a file that it names.

    Raises:
        SpecError: the file cannot be read, or is empty.
    """
    file = os.environ.get(f"{name}_FILE")
    return secret_from("", file) if file else os.environ.get(name)


def place(folder: Path | None, database: str | None) -> Place:
    """Where to keep things: as told, or as the environment says, or in the user's own data folder."""
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    kept = folder or Path(os.environ.get("BARTIZAN_DATA") or f"{home}/bartizan").expanduser()
    return Place(kept, database or _told("BARTIZAN_DATABASE_URL") or f"sqlite:///{kept}/plane.db")


def secret_key(where: Place) -> bytes:
    """The key that digests secrets: from the environment, where several processes share it, or kept in the folder.

    Raises:
        SpecError: what the environment says is too short to be a key.
        SourceError: the folder cannot be written to.
    """
    told = _told("BARTIZAN_SECRET_KEY")
    if told is not None:
        if len(told) < _KEY_BYTES:
            hint = "Make one: `python3 -c 'import secrets; print(secrets.token_hex())'`."
            raise SpecError(f"`BARTIZAN_SECRET_KEY` has fewer than {_KEY_BYTES} characters", hint=hint)
        return told.encode()
    file = where.folder / "key"
    try:
        where.folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(secrets.token_bytes(_KEY_BYTES))
        return file.read_bytes()
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise SourceError(f"`{file}` cannot be kept: {said}", hint="Name a folder of yours with --data.") from error


def secret_from(variable: str, file: str) -> str:
    """A secret that the settings only name: by a variable of the environment, or a file; empty where neither is named.

    Raises:
        SpecError: the variable is not set, or what is named is empty.
        SourceError: the file cannot be read.
    """
    if not variable and not file:
        return ""
    told = read_file(Path(file)).decode("utf-8", "replace") if file else os.environ.get(variable, "")
    if not told.strip():
        where = f"file `{file}`" if file else f"variable `{variable}`"
        raise SpecError(f"the {where} holds no secret", hint="Put it there; settings only name where it is.")
    return told.strip()
