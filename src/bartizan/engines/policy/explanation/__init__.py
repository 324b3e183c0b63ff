"""Explanations while they are put together: what every dialect's share."""
