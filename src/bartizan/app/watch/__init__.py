"""A member of the fleet, watched: what its source holds is judged by the rules, and what changes is told to a store."""
