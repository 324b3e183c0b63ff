"""The Pod Security Standards, every version, as native functions.

Nothing is imported here: most runs have no use for the levels, and what
they have a use for names its module.
"""
