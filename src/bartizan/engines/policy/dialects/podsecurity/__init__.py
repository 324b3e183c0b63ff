"""The Pod Security Standards, every version, as native functions."""
