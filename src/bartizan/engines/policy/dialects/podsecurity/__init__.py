"""The Pod Security Standards, every version, as native functions."""

from bartizan.engines.policy.dialects.podsecurity.exclusions import Exclusion, Exclusions, compile_exclusions
from bartizan.engines.policy.dialects.podsecurity.levels import compile_level
from bartizan.engines.policy.dialects.podsecurity.pod import summary
from bartizan.engines.policy.dialects.podsecurity.profile import compile_profile

__all__ = ["Exclusion", "Exclusions", "compile_exclusions", "compile_level", "compile_profile", "summary"]
