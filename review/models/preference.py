"""Preference: how a person wants to work."""

from django.conf import settings
from django.db import models


class Preference(models.Model):
    """What a person set for every page; who set nothing has no row."""

    class Density(models.TextChoices):
        ROOMY = "roomy", "Roomy"
        COMPACT = "compact", "Compact"

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="preference"
    )
    has_keys = models.BooleanField(default=True, help_text="Single letters act, such as a for approve.")
    density = models.CharField(max_length=7, choices=Density.choices, default=Density.ROOMY)

    def __str__(self) -> str:
        return f"{self.person}: {self.get_density_display()}, {'keys' if self.has_keys else 'no keys'}"
