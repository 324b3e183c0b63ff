"""Frozen changes of the schema, oldest first."""
