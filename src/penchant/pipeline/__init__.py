"""From a question to a slate: retrieve, filter, blend, rank, explain; every step is a Stage."""
