"""Overlay patterns, compiled: YAML trees with anchors, wildcards and operators."""
