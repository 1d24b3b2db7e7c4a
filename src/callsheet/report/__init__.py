"""Runs as one page for a browser, that needs nothing else and no network."""
