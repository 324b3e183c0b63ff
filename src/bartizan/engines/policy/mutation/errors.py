"""What can go wrong when a patch meets an object."""


class PatchError(Exception):
    """A patch does not fit the object; the message says where in the object and why. An outcome, not a crash."""
