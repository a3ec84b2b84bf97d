"""The one door to personal data, and who may go through it. Everything above asks here and never the store."""
