"""Changing objects: strategic merge, JSON patch, and the difference of two trees. Pure functions on decoded JSON.

No function changes what it is given: the result shares with it whatever did
not change, so that `is` says whether anything did.
"""

from bartizan.engines.policy.mutation.difference import difference
from bartizan.engines.policy.mutation.errors import PatchError
from bartizan.engines.policy.mutation.json_patch import Operation, apply_patch, read_patch
from bartizan.engines.policy.mutation.merge import merge

__all__ = ["Operation", "PatchError", "apply_patch", "difference", "merge", "read_patch"]
