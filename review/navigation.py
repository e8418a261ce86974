"""What every page's bar needs."""

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, object]:
    """Context of the bar."""
    return {}
