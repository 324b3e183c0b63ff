"""Kubernetes' own kinds that carry rules: resource definitions here, admission policies beside them."""
