"""Signatures of images, attestations and manifests, verified: bytes and trust in, a yes or a reason out.

Nothing here asks anybody anything. What a registry holds, the keys and roots
that are trusted, and the time all come as parameters, so that one verdict is
the same for the same material, on any machine and in any year. All material
is taken for hostile: whatever is malformed is refused with the reason.

The `sigstore` package verifies keyless bundles with everything demanded, and
nothing else: no keys, no layers of cosign, no logs that a policy ignores or
names itself. One verifier for all of it is easier to trust than two that
meet in the middle; where both can judge, the tests hold them to the same
verdicts.
"""
