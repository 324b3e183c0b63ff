"""The composition root: the only place that knows which source, engine and output."""
