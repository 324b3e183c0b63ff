"""ImageValidatingPolicy and its namespaced form: who must have signed the images of a resource, said in CEL."""
