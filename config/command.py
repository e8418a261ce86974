"""What the commands are built on."""

from django.core.management.base import BaseCommand


class QuickCommand(BaseCommand):
    """A command that looks at nothing but its own work: system checks load every page, and `manage.py check` runs them."""

    requires_system_checks = []
