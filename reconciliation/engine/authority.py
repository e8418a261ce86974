"""Whose value stands in the proposed record."""

from collections.abc import Mapping

from ingestion.shape import Leaf


def authority_of(leaf: Leaf, authority: Mapping[str, str]) -> str:
    """`a` or `b`: the leaf's own word, else that of the reference it belongs to, else A."""
    names = (leaf.name, leaf.path, leaf.reference or "")
    return next((authority[name] for name in names if name in authority), "a")


def proposed_side(leaf: Leaf, authority: Mapping[str, str], mapped_a: frozenset[str], mapped_b: frozenset[str]) -> str:
    """The authority's side where both are there, unless only the other one fills the leaf."""
    side = authority_of(leaf, authority)
    mapped = mapped_a if side == "a" else mapped_b
    return side if leaf.name in mapped else ("b" if side == "a" else "a")
