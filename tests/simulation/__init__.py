"""Invented worlds whose truth is known to the last digit."""
