"""ApiToken and IdempotentRequest: how programs call."""

from django.conf import settings
from django.db import models
from django.db.models import UniqueConstraint


class ApiToken(models.Model):
    """A program's key. Only its SHA-256 is kept; the text is shown once, when it is made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="Any of read, deliver, run, decide.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"


class IdempotentRequest(models.Model):
    """The answer to a POST with an Idempotency-Key, given again when the same request comes again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [UniqueConstraint(fields=["user", "key"], name="idempotent_request_once_per_key")]

    def __str__(self) -> str:
        return self.key
