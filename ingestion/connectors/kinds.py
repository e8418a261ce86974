"""Which connector a kind of source has."""

from ingestion import lake
from ingestion.connectors.offer import Connector, PullError
from ingestion.models import OfferedThing, Source

PULLED = (Source.Kind.DROP, Source.Kind.TABLE, Source.Kind.API)


def connector_of(source: Source) -> Connector:
    """The connector of a source that is pulled; PullError for one that hands over by itself. A kind's libraries are loaded
    for its first source, not to start a process."""
    if source.kind == Source.Kind.DROP:
        from ingestion.connectors.drop import Drop

        return Drop(source.connection)
    if source.kind == Source.Kind.TABLE:
        from ingestion.connectors.table import Table

        return Table(source.connection, _high_water(source))
    if source.kind == Source.Kind.API:
        from ingestion.connectors.http_api import HttpApi

        return HttpApi(source.connection, _high_water(source), lake.local(f"pulls/{source.code}"))
    raise PullError(f"{source.code} is of kind {source.kind}: it hands its records over, nothing is pulled.")


def _high_water(source: Source) -> str | None:
    """The mark that the newest delivery of the source reached."""
    taken = OfferedThing.objects.filter(source=source, taken_at__isnull=False)
    return taken.order_by("-taken_at", "-pk").values_list("mark", flat=True).first()
