"""The nouns, the protocols, the errors, the clock and the settings. Everything else stands on this."""
