"""What registries and signatures are asked: the port of the engine, filled from the world."""
