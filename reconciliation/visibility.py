"""Which sources a user may see: those of reconciliations that they see, and those that no reconciliation uses yet."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from ingestion.models import Source
from reconciliation.models import Reconciliation


def visible_sources(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Source]:
    """The sources that a user may see."""
    using = Q(a=OuterRef("pk")) | Q(b=OuterRef("pk"))
    seen = Exists(Reconciliation.objects.visible_to(user).filter(using))
    return Source.objects.filter(seen | ~Exists(Reconciliation.objects.filter(using)))
