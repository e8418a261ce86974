"""Handing in a file in the admin: the same views as the pages have, behind the admin's sign-in."""

from django.contrib.admin import AdminSite
from django.urls import URLPattern

from review.pages.uploads import Door, upload_urls


def admin_upload_urls(site: AdminSite) -> list[URLPattern]:
    """The views' addresses in the admin."""
    door = Door(
        "admin", "admin:", "admin:ingestion_delivery_change", "admin:ingestion_delivery_changelist",
        lambda request: {**site.each_context(request), "title": "Upload a file"},
    )  # fmt: skip
    return upload_urls(door, site.admin_view)
