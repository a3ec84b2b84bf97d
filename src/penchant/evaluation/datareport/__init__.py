"""What a pile of events is like, and what it can be used for."""
