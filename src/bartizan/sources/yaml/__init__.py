"""YAML exactly as Kubernetes reads it, with the line of every key.

Source: sigs.k8s.io/yaml over goyaml.v2, whose reading the API server and
`kubectl` share: YAML 1.1 words are booleans, even as keys; `0644` is 420;
dates stay text; merge keys merge; and here duplicate keys are refused.
"""

from bartizan.sources.yaml.documents import BrokenDocument, Document, load_documents, load_one, parse_yaml_text

__all__ = ["BrokenDocument", "Document", "load_documents", "load_one", "parse_yaml_text"]
