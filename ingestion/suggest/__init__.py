"""Proposing a definition from two files: columns, pairs, key, types, value maps, references, each with its evidence.

Pure: files and numbers in, a proposal out. What is measured on a sample says so; the key and the trial run use every row.
"""
