"""The systems that Callsheet comes from, each in words of its own: whoever uses one changes an import."""
