"""The clock, the chance and the YAML reader that expressions may use: made here, where the world is known."""

from __future__ import annotations

import random
from datetime import datetime
from functools import lru_cache

from bartizan.lang.jmespath import Ambient
from bartizan.sources.yaml import parse_yaml_text


@lru_cache(maxsize=1)
def ambient() -> Ambient:
    """The real clock in the local zone, and randomness that need not be secret."""
    return Ambient(lambda: datetime.now().astimezone(), random.random, parse_yaml_text)
