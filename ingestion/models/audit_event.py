"""AuditEvent and AuditCheck: what somebody did, in a chain that shows each later change; and when the chain was last looked at."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint


class AuditEvent(models.Model):
    """One act. Triggers number and chain it as its transaction commits, and refuse every later change (ingestion/audit_chain.py).

    `sequence` has no gaps; `hash` is the sha256, in hex, of the hash before it and of the event's own text.
    """

    sequence = models.BigIntegerField(null=True, editable=False, help_text="Empty until its transaction commits.")
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    actor_name = models.CharField(max_length=150, help_text="As the user was called then; a service has a name alone.")
    action = models.CharField(max_length=40)
    kind = models.CharField(max_length=60, help_text="What kind of thing it was done to.")
    object_id = models.CharField(max_length=60)
    name = models.CharField(max_length=200, help_text="What people call the thing.")
    run = models.BigIntegerField(null=True, blank=True)
    reconciliation = models.BigIntegerField(null=True, blank=True, help_text="Empty: of none in particular.")
    before = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    door = models.CharField(max_length=20, help_text="page, admin, api, command or task.")
    request = models.CharField(max_length=12, blank=True, help_text="The same in all events of one request.")
    address = models.CharField(max_length=45, blank=True, help_text="The network that the request came from.")
    hash = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001 - null until it is chained

    class Meta:
        ordering = ["-sequence"]
        permissions = [("read_audit_log", "Can read the audit log")]
        constraints = [
            UniqueConstraint(fields=["sequence"], name="audit_event_once_in_the_sequence"),
            CheckConstraint(
                condition=Q(sequence=None, hash=None) | Q(sequence__gte=1), name="audit_event_chained_whole"
            ),
        ]
        indexes = [
            models.Index(fields=["actor_name", "sequence"], name="audit_event_by_actor"),
            models.Index(fields=["action", "sequence"], name="audit_event_by_action"),
            models.Index(fields=["kind", "object_id", "sequence"], name="audit_event_by_object"),
            models.Index(fields=["run", "sequence"], condition=Q(run__isnull=False), name="audit_event_by_run"),
            models.Index(fields=["reconciliation", "sequence"], name="audit_event_by_scope"),
            models.Index(fields=["at"], name="audit_event_by_time"),
        ]

    def __str__(self) -> str:
        return f"audit event {self.sequence or 'unchained'}"


class AuditCheck(models.Model):
    """A look at the whole chain: how far it was whole, and the first thing that was not."""

    at = models.DateTimeField()
    sequence = models.BigIntegerField(help_text="The newest event then.")
    hash = models.CharField(max_length=64, blank=True)
    problem = models.TextField(blank=True, help_text="The first broken event; empty: all were whole.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"audit check up to {self.sequence}"
