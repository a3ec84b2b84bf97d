"""Compiled loops: arrays in, arrays out; no classes, no I/O. Each releases the GIL and works on a block of rows."""
