"""Posture: checks that look at how resources stand to each other."""

from bartizan.engines.posture.compile import TEMPLATES, CrossCheck, compile_check
from bartizan.engines.posture.facts import Conclusion, Observe

__all__ = ["TEMPLATES", "Conclusion", "CrossCheck", "Observe", "compile_check"]
