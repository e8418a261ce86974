"""Readers: a module a format, each turning delivered bytes into the rows that framing makes of delimited text."""
