"""Posture: checks that look at how resources stand to each other."""
