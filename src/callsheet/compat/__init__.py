"""Code and files written for other systems of configuration, each understood by a module of its own."""
