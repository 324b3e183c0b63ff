"""One folder a policy dialect; each compiles its documents to the engine's own `Rule`."""
