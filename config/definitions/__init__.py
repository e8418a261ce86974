"""Definitions: everything an admin can set up, written down, applied and exported."""
