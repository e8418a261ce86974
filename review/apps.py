"""The review app."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"

    def ready(self) -> None:
        """Put this app's rows under custody, and sign-ins into the audit log."""
        from review import custody  # noqa: F401
        from review.sign_ins import watch_sign_ins

        watch_sign_ins()
