"""What a user may see beside breaks: sources of reconciliations that they see, and of none, with what they delivered; what is stored."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet

from ingestion.models import Alert, Delivery, RecordType, Source
from reconciliation.models import Reconciliation, Run, access_of
from reconciliation.models.reconciliation import SEES_ALL
from reconciliation.store.reference import NO_RUN
from reconciliation.store.rows import leaf_paths, row_model
from reconciliation.store.tables import StoreTable

READS_LOG = "ingestion.read_audit_log"


def visible_sources(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Source]:
    """The sources that a user may see."""
    if not user.has_perm("ingestion.view_source"):  # type: ignore[union-attr]
        return Source.objects.none()
    using = Q(a=OuterRef("pk")) | Q(b=OuterRef("pk"))
    seen = Exists(Reconciliation.objects.visible_to(user).filter(using))
    return Source.objects.filter(seen | ~Exists(Reconciliation.objects.filter(using)))


def teams_of(sources: Collection[Source], reconciliation: int | None) -> set[str]:
    """The codes of the teams that work on a reconciliation, or else on any that uses one of the sources."""
    using = Q(a__in=sources) | Q(b__in=sources)
    found = Reconciliation.objects.filter(using if reconciliation is None else Q(pk=reconciliation), team__isnull=False)
    return set(found.values_list("team__code", flat=True))


def visible_deliveries(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Delivery]:
    """The deliveries of those sources, each with its source."""
    return Delivery.objects.filter(source__in=visible_sources(user)).select_related("source")


def visible_record_types(user: AbstractBaseUser | AnonymousUser) -> QuerySet[RecordType]:
    """The record types of those sources, what they refer to, and those that nothing uses yet."""
    if not user.has_perm("ingestion.view_recordtype"):  # type: ignore[union-attr]
        return RecordType.objects.none()
    parts = Reconciliation.objects.entered_by(user).values("a__record_type")
    mine = RecordType.objects.filter(Q(sources__in=visible_sources(user)) | Q(pk__in=parts))
    used = Q(pk__in=mine) | Q(referring__record_type__in=mine) | Q(sources=None, referring=None)
    return RecordType.objects.filter(used).distinct().order_by("code")


def visible_stored(
    table: StoreTable, user: AbstractBaseUser | AnonymousUser, rows: QuerySet[Any] | None = None
) -> QuerySet[Any]:
    """Of a record type's stored rows (or of `rows` of them) those that runs of the user's teams stored, of a scope that the user sees
    those with its values, and those that no run brought."""
    rows = row_model(table)._default_manager.all() if rows is None else rows
    if not table.has_versions or user.has_perm(SEES_ALL):  # type: ignore[union-attr]
        return rows
    seen = Q(run__in=Run.objects.visible_to(user).values("pk")) | Q(run=NO_RUN)
    for it in Reconciliation.objects.entered_by(user).filter(a__record_type=table.record_type.pk):
        if not it.is_whole and (path := leaf_paths(table).get(it.scope)) is not None:
            held = Q(**{f"{path}__in": it.seen_values}) | (Q(**{path: None}) if "" in it.seen_values else Q())
            seen |= Q(run__in=Run.objects.filter(reconciliation=it).values("pk")) & held
    return rows.filter(seen)


def sight_of(user: User) -> list[str]:
    """All that decides what a user sees of lists that are of no run. Kept with a file, it tells later whether they still see as
    much as the file may hold."""
    seen, sources = access_of(user), visible_sources(user).order_by("pk").values_list("pk", flat=True)
    parts = {"reconciliation": seen.whole, "scope": seen.scopes, "source": sources}
    every = ["every team"] if user.has_perm(SEES_ALL) else []
    return [*every, *(f"{name} {pk}" for name, ids in parts.items() for pk in ids)]


def visible_alerts(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Alert]:
    """The alerts that a user may see: one's own; those of reconciliations that the user sees; those of sources alone; and what
    concerns neither, for who reads the audit log."""
    if not user.is_authenticated:
        return Alert.objects.none()
    seen = Q(reconciliation__in=Reconciliation.objects.visible_to(user).values("pk"))
    of_sources = Exists(
        Alert.sources.through.objects.filter(alert=OuterRef("pk"), source__in=visible_sources(user).values("pk"))
    )
    seen |= Q(of_sources, reconciliation=None)
    if user.has_perm(READS_LOG):  # type: ignore[attr-defined]
        seen |= Q(reconciliation=None) & ~Q(Exists(Alert.sources.through.objects.filter(alert=OuterRef("pk"))))
    return Alert.objects.filter(Q(person=user.pk) | (Q(person=None) & seen))
