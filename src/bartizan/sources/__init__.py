"""The world, read: manifests, charts, kustomizations and clusters."""
