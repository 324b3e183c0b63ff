"""What an agent and the plane say to each other, and what the plane does with it."""
