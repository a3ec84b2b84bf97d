"""What another policy would have earned, told from what one policy logged."""
