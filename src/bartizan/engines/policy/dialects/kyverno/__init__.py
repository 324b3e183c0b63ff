"""Kyverno's classic kinds: ClusterPolicy, Policy, PolicyException."""

from bartizan.engines.policy.dialects.kyverno.exceptions import decode_exception
from bartizan.engines.policy.dialects.kyverno.policy import compile_policy, expression_compiler, is_policy
from bartizan.engines.policy.plan import Policy

__all__ = ["Policy", "compile_policy", "decode_exception", "expression_compiler", "is_policy"]
