"""CustomResourceDefinitions: what the API server would say of a custom resource, without an API server.

    definition -> nodes -> source of checks -> function(resource)

An object goes the road it goes in the server: unknown fields are dropped,
defaults filled in, then come its metadata, the schema, lists that are sets
and maps, and last the rules in CEL, where nothing before stopped them. The
errors are in the server's words, for people search for these.
"""

from bartizan.engines.policy.dialects.kubernetes.crd.definition import Definition, compile_definition, is_definition

__all__ = ["Definition", "compile_definition", "is_definition"]
