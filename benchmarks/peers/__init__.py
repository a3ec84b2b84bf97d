"""How each library is asked to do the same thing; every module runs in that library's own environment."""
