"""Thin commands over `app`."""
