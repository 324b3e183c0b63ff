"""Kyverno's policies in CEL: rules of the classic kinds, and the kinds of `policies.kyverno.io`."""
