"""What is asked of the queue: the query of its box and the older names of its address, as one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.http import urlencode

from attribution.models import Reason
from ingestion.suggestion import nearest_end
from reconciliation.models import Break, Reconciliation
from review.query.parse import parse
from review.query.terms import IS, BadQuery, Term, quoted
from review.query.words import ALL, NONE

OLD = ("state", "kind", "reason", "band", "reconciliation", "assigned", "due", "run", "age", "key")
FILTERS = ("q", *OLD)
OF_A_LIST = (*FILTERS, "order", "after", "view")  # what an address of the queue may say
Known = Mapping[str, Callable[[], Sequence[str]]]


@dataclass(frozen=True)
class Asked:
    """The terms of a query; all have to hold."""

    terms: tuple[Term, ...] = ()

    @property
    def text(self) -> str:
        """The query as it is written in the box."""
        return " ".join(it.text for it in self.terms)

    @property
    def state(self) -> str:
        """The tab of the queue: in review if the query does not speak of states, empty for all, or for several."""
        only = self.only("state") if self.names_state else Break.State.REVIEW.value
        return "" if only == ALL else only

    @property
    def names_state(self) -> bool:
        """Whether the query says in which states breaks stand."""
        return any(it.word == "state" for it in self.terms)

    def only(self, word: str) -> str:
        """The one value that it asks of a word; empty where it asks otherwise, or not."""
        said = [it for it in self.terms if it.word == word]
        return said[0].only if len(said) == 1 else ""

    def without(self, *words: str) -> "Asked":
        """The query without some words."""
        return replace(self, terms=tuple(it for it in self.terms if it.word not in words))

    def having(self, word: str, value: str) -> "Asked":
        """The query with a word that has one value, in the place where the word stood."""
        new = Term(word, IS, (value,), (value or NONE,))
        first = next((n for n, it in enumerate(self.terms) if it.word == word), len(self.terms))
        kept = [it for it in self.terms if it.word != word]
        return replace(self, terms=(*kept[:first], new, *kept[first:]))

    def query(self, order: str = "") -> str:
        """The address's part after the question mark."""
        return urlencode({name: value for name, value in (("q", self.text), ("order", order)) if value})


def asked_of(given: Mapping[str, str], known: Known) -> Asked:
    """What an address, a form or a program asks by `q` and by the older names. BadQuery says what cannot be."""
    old = " ".join(f"{name}:{quoted(str(given[name]))}" for name in OLD if given.get(name))
    return Asked(parse(f"{old} {given.get('q') or ''}".strip(), known))


def check_address(given: QueryDict) -> None:
    """An address of the queue says nothing that is not known, and nothing twice: a word that is passed over would list more than was
    asked for. BadQuery says which."""
    for name, values in given.lists():
        if name not in OF_A_LIST:
            raise BadQuery(
                f"The address asks for {name[:40]!r}, which the queue does not know{nearest_end(name, OF_A_LIST)}"
            )
        if len(values) > 1:
            raise BadQuery(f"{name!r} stands {len(values)} times in the address. Let it stand once.")


def known_to(user: User) -> Known:
    """The values that the database knows, as far as a user may see them; asked when a query has the word."""
    return known_of(lambda: list(Reconciliation.objects.entered_by(user).select_related("a", "b")))


def known_of(reconciliations: Callable[[], Sequence[Reconciliation]]) -> Known:
    """The same, of the reconciliations that a user may enter."""
    return {
        "reason": lambda: ["", *Reason.objects.values_list("code", flat=True)],
        "reconciliation": lambda: [it.code for it in reconciliations()],
        "source": lambda: sorted({side.code for it in reconciliations() for side in (it.a, it.b)}),
    }
