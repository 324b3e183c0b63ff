"""Random policies on random resources, through the peer and through Bartizan: whatever differs is shown."""
