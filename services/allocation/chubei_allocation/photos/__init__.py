"""Photos of what was found at a stop of an order."""
