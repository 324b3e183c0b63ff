"""Kubernetes' own admission policies, and the rules of its custom resources."""
