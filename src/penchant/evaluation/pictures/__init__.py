"""Charts laid out in pixels, and the page they stand on: what every report looks like."""
