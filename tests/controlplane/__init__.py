"""A real Kubernetes control plane for tests: etcd, kube-apiserver, kube-controller-manager."""
