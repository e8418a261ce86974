"""Work that a worker claims: a lease, a fencing number, a heartbeat."""

from django.db import models


class ClaimedWork(models.Model):
    """One step of work. It is claimed by one conditional UPDATE and finished only under the fence that claimed it."""

    class State(models.TextChoices):
        READY = "ready"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    UNDER_WAY = (State.READY, State.RUNNING)

    state = models.CharField(max_length=8, choices=State.choices, default=State.READY)
    queue = models.CharField(max_length=20)
    worker = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def seconds(self) -> float | None:
        """Wall seconds of the last attempt, None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
