"""On how many examples a law is tried: as many as its test asks for, and many more in a search."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 100


def examples(number: int) -> settings:
    """Settings for `number` examples, times what the profile asks for: `pytest --hypothesis-profile search`."""
    scale = max(1, settings.default.max_examples // _USUAL) if settings.default else 1
    return settings(max_examples=number * scale)
