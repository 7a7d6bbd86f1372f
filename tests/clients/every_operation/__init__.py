"""Every operation with a key, on a key of its own in every state, and in every way that all of them refuse alike."""
