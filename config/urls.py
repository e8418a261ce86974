"""Every address of the site."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from config.health import livez, metrics, readyz
from config.setup import pages

handler403 = "review.pages.refused.refused"
handler500 = "review.pages.failed.failed"
urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", livez),
    path("readyz", readyz),
    path("metrics", metrics),
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.api.urls")),
    path("api/v1/", include("review.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("setup/", pages.start, name="setup"),
    path("setup/<uuid:token>/", pages.draft, name="setup_draft"),
    path("setup/<uuid:token>/answer/", pages.answer, name="setup_answer"),
    path("", include("review.urls")),
]
