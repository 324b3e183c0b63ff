"""Languages: text in, Python function out. None knows Kubernetes, none knows another."""
