"""The two ways in which verification does not end well: it objects, or it cannot decide."""

from __future__ import annotations


class RefusedError(Exception):
    """The material is not what it must be: unsigned, tampered with, malformed, or of somebody else.

    The message is one clause that says why, for the person who deploys.
    """


class UndecidedError(Exception):
    """Something that the verdict depends on cannot be had: a key, a trust root, an answer. Never a pass."""
