"""Formats of data files, one a module, each with the same face: `read`, `read_lines` and `write`."""
