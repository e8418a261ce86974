"""SavedView and QueueLook: queries of the queue under a name, and how a person wants the queue to look."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.db.models.functions import Lower, Trim

from reconciliation.models import Team

LONGEST_NAME, LONGEST_QUERY = 60, 1000


def columns_field(help_text: str) -> ArrayField:
    """Names of columns in their order."""
    return ArrayField(models.CharField(max_length=20), default=list, blank=True, help_text=help_text)


class SavedView(models.Model):
    """A query with its order and columns, of the person who saved it alone, or of a team: its members open it, too."""

    name = models.CharField(max_length=LONGEST_NAME)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="saved_views"
    )
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, db_index=False, related_name="saved_views",
        help_text="Whose members open it; null: the owner's alone.",
    )  # fmt: skip
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    order = models.CharField(max_length=10, blank=True)
    columns = columns_field("What it shows; none: what its reader chose.")
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            UniqueConstraint("owner", Lower("name"), condition=Q(team=None), name="saved_view_name_once_a_person"),
            UniqueConstraint(
                "team", Lower("name"), condition=Q(team__isnull=False), name="saved_view_name_once_a_team"
            ),
            CheckConstraint(condition=~Q(name="") & Q(name=Trim("name")), name="saved_view_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class QueueLook(models.Model):
    """How a person wants the queue: its columns, and the view that it opens with."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="queue_look")
    columns = columns_field("What is shown beside the key; none: the usual ones.")
    opens_with = models.ForeignKey(SavedView, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"queue of {self.person}"
