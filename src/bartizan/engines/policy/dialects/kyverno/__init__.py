"""Kyverno's classic kinds: ClusterPolicy, Policy, PolicyException."""
