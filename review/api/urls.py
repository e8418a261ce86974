"""Addresses of the API."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from review.api.deliveries import DeliveryViewSet
from review.api.stored import StoredView
from review.api.views import BreakViewSet, JourneyView, RunViewSet

router = SimpleRouter(use_regex_path=True)
router.trailing_slash = "/?"  # with and without the last slash
router.register("runs", RunViewSet, basename="api-run")
router.register("deliveries", DeliveryViewSet, basename="api-delivery")
router.register("breaks", BreakViewSet, basename="api-break")

urlpatterns = [
    path("store/<slug:code>", StoredView.as_view(), name="api-stored"),
    path("journey", JourneyView.as_view(), name="api-journey"),
    path("", include(router.urls)),
]
