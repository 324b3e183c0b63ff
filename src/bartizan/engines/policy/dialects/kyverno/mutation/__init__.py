"""`mutate` of a rule: patches of both kinds, with what is the dialect's own in them."""
