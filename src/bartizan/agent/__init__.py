"""The cluster's end of the fleet connection: judges where the objects are, and sends what it saw, whenever it can."""
