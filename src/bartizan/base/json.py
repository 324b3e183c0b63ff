"""Decoded JSON: what a Kubernetes object is made of here."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""`dict[str, Json] | list[Json] | str | int | float | bool | None`, which mypy cannot narrow usefully."""

JsonObject: TypeAlias = dict[str, Any]
