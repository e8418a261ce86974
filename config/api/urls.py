"""Addresses of the set-up's API; they stand before those of review, whose last one is for what there is not."""

from django.urls import re_path

from config.api.definitions import DefinitionChecksView, DefinitionsView, DefinitionView
from config.api.suggestions import DefinitionTrialsView, SuggestionsView

urlpatterns = [
    re_path(r"^definitions/?$", DefinitionsView.as_view(), name="api-definitions"),
    re_path(r"^definitions/(?P<code>[-\w]+)/?$", DefinitionView.as_view(), name="api-definition"),
    re_path(r"^definition-checks/?$", DefinitionChecksView.as_view(), name="api-definition-checks"),
    re_path(r"^definition-suggestions/?$", SuggestionsView.as_view(), name="api-definition-suggestions"),
    re_path(r"^definition-trials/?$", DefinitionTrialsView.as_view(), name="api-definition-trials"),
]
