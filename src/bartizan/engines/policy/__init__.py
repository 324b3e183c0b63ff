"""Policies: rules that people write, in the dialects they already have."""
