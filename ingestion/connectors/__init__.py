"""Connectors: a module a kind of source, each saying what the other side holds ready and fetching it."""
