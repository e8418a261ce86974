"""The one query of the queue: what its box, its facets, its address, the API, bulk decisions and exports ask breaks by."""

from review.query.asked import FILTERS, OLD, Asked, asked_of, check_address, known_of, known_to
from review.query.parse import parse
from review.query.terms import BadQuery, Term, quoted
from review.query.words import WORDS

__all__ = [
    "FILTERS",
    "OLD",
    "WORDS",
    "Asked",
    "BadQuery",
    "Term",
    "asked_of",
    "check_address",
    "known_of",
    "known_to",
    "parse",
    "quoted",
]
