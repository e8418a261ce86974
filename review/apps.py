"""The review app."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"

    def ready(self) -> None:
        """Put this app's rows under custody."""
        from review import custody  # noqa: F401
