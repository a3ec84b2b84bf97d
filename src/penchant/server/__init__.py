"""The HTTP API and the shop page: they translate between the wire and the engine, and decide nothing."""
