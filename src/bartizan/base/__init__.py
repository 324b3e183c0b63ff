"""Words everybody uses: errors, locations, budgets, pointers, quantities."""
