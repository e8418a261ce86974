"""What each page costs the server, on whatever the database holds: run it on what `manage.py generate_load` made.

python -m tests.load.pages [--each 40] [--only queue,break] [--rounds 1] [--slow 200]

Every page is asked for once to warm up and then for many different rows, in this process, by a Manager; in rounds, as many people
do. A line a page: how often, the most queries, the server time (median, 95th of a hundred, longest), its CPU time (median, 95th)
beside that of the database server's, and the largest answer compressed. Time is the clock's; on a busy machine read the CPU columns.
"""

import gzip
import math
import secrets
import sys
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from review.tokens import SCOPES, make_token  # noqa: E402
from tests.places import FILES, PART, REST, Place, places  # noqa: E402

BOUND = 12


@dataclass
class Told:
    """What the requests of a page measured; milliseconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    database: float = 0.0
    queries: int = 0
    size: int = 0
    worst: str = ""
    refused: set[int] = field(default_factory=set)

    def line(self, name: str) -> str:
        """The page's line of the table."""
        n = len(self.wall)
        odd = f" {sorted(self.refused)}" if self.refused else ""
        return (
            f"{name:<40.40}{n:>5}{self.queries:>8}{_at(self.wall, 0.5):>9.0f}{self.p95:>7.0f}{max(self.wall):>7.0f}"
            f"{_at(self.cpu, 0.5):>9.0f}{_at(self.cpu, 0.95):>9.0f}{self.database / n:>7.0f}{self.size / 1000:>8.1f}  {self.worst[:70]}{odd}"
        )

    @property
    def p95(self) -> float:
        """95 of a hundred requests took no longer."""
        return _at(self.wall, 0.95)


def _at(values: list[float], share: float) -> float:
    return sorted(values)[math.ceil(share * len(values)) - 1]


HEAD = f"{'page':<40}{'asked':>5}{'queries':>8}{'median':>9}{'p95':>7}{'max':>7}{'cpu':>9}{'cpu p95':>9}{'db cpu':>7}{'kB gz':>8}  slowest"


class Walk:
    """A signed-in Manager who may enter the admin, and a token of theirs."""

    def __init__(self) -> None:
        user, _ = User.objects.get_or_create(username="walker", defaults={"is_staff": True})
        user.groups.set(Group.objects.filter(name__in=("Manager", "Administrator")))
        self.client = Client(raise_request_exception=False, SERVER_NAME="localhost")
        self.client.force_login(user)
        token = make_token(user=user, name=secrets.token_hex(4), scopes=list(SCOPES), days=1)
        self.rest = Client(
            raise_request_exception=False, SERVER_NAME="localhost", headers={"Authorization": f"Token {token}"}
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self.backend = cursor.fetchone()[0]

    def ask(self, place: Place, told: Told) -> None:
        """One request, measured."""
        client = self.rest if place.kind == REST else self.client
        headers = {"HX-Request": "true"} if place.kind == PART else {}
        asked: list[float] = []
        database, cpu, began = self._database_ms(), time.process_time(), time.monotonic()
        with connection.execute_wrapper(lambda run, *given: (asked.append(0), run(*given))[1]):
            answer = client.get(place.url, headers=headers)
        took, spent = (time.monotonic() - began) * 1000, (time.process_time() - cpu) * 1000
        told.database += self._database_ms() - database
        if not told.wall or took > max(told.wall):
            told.worst = place.url
        told.wall.append(took)
        told.cpu.append(spent)
        told.queries = max(told.queries, len(asked))
        if answer.status_code >= 400:
            told.refused.add(answer.status_code)
        if not answer.streaming:
            told.size = max(told.size, len(gzip.compress(answer.content, 6)))

    def _database_ms(self) -> float:
        """CPU time of our database session; the kernel counts it by hundredths of a second."""
        try:
            with open(f"/proc/{self.backend}/stat", encoding="utf-8") as file:  # noqa: PTH123
                fields = file.read().rpartition(")")[2].split()
        except FileNotFoundError:
            return 0.0
        return 10.0 * (int(fields[11]) + int(fields[12]))


def walk(each: int, only: set[str], rounds: int) -> dict[str, Told]:
    """Ask for every page, each row's once a round; what comes first warms up and is not counted."""
    walker, told = Walk(), defaultdict[str, Told](Told)
    by_name = defaultdict[str, list[Place]](list)
    for place in places(each):
        if place.name not in FILES and (not only or place.name in only):
            by_name[place.name].append(place)
    for name, of in by_name.items():
        walker.ask(of[0], Told())
        for place in of * rounds:
            walker.ask(place, told[name])
    return dict(told)


def main() -> int:
    """The table; 1 when a page takes longer, or asks more, than it may."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=40, help="rows of each kind that has a page")
    parser.add_argument("--only", default="", help="names of pages, separated by commas")
    parser.add_argument("--rounds", type=int, default=1, help="how often each row's page is asked for")
    parser.add_argument("--slow", type=float, default=200, help="milliseconds that 95 of a hundred requests may take")
    given = parser.parse_args()
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "localhost"]
    call_command("collectstatic", interactive=False, verbosity=0)
    told = walk(given.each, set(filter(None, given.only.split(","))), given.rounds)
    print(HEAD)
    for name, it in sorted(told.items(), key=lambda pair: -pair[1].p95):
        print(it.line(name))
    return 1 if list(_faults(told, given.slow)) else 0


def _faults(told: dict[str, Told], slow: float) -> Iterator[str]:
    for name, it in told.items():
        if it.p95 > slow or it.queries > BOUND or 500 in it.refused:
            yield name


if __name__ == "__main__":
    sys.exit(main())
