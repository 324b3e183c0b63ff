"""`explain`: what decided, for one rule and one resource, for a check, and for a case of a test."""
