"""Posture: checks that look at how resources stand to each other."""

from bartizan.engines.posture.template import TEMPLATES, Conclusion, CrossCheck, compile_check

__all__ = ["TEMPLATES", "Conclusion", "CrossCheck", "compile_check"]
