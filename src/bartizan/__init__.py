"""Bartizan keeps watch over Kubernetes clusters: one program to validate, audit and enforce policy."""

__version__ = "0.1.0"
