"""What every address of the API shares: who gets in, and that nothing which it is asked for is passed over."""

from collections.abc import Mapping
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from review.api.idempotency import key_of
from review.api.paging import OURS, NewestFirst
from review.api.permissions import HasScope
from review.api.strict import check_parameters

LISTS = ("list", "get", "head")


class Always(DefaultContentNegotiation):
    """An address answers in one form, whatever the request would rather have."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ANN401
        """The first."""
        return renderers[0], renderers[0].media_type


class Door(APIView):
    """An address for people signed in and for tokens with the scope. `parameters` are those of its list, or of its GET; `also` has
    those of other actions or methods, by name. Any other parameter is refused."""

    permission_classes = [IsAuthenticated, HasScope]
    content_negotiation_class = Always
    parameters: tuple[str, ...] = ()
    also: Mapping[str, tuple[str, ...]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Whoever may come in is asked for nothing that is not there; of a method that is not known that is said later."""
        super().initial(request, *args, **kwargs)
        if hasattr(self, str(request.method).lower()):
            check_parameters(request, self.known_parameters())
            if request.method == "POST":
                key_of(request)  # before anything is looked for: that it is missing holds wherever a program posts to

    def known_parameters(self) -> tuple[str, ...]:
        """The parameters of what is being done."""
        name = str(getattr(self, "action", None) or self.request.method).lower()
        return (*self.parameters, *self.also.get(name, ())) if name in LISTS else self.also.get(name, ())


class Rows(Door, GenericViewSet):
    """A list of things by id, the newest first, and each of them."""

    pagination_class = NewestFirst
    lookup_value_regex = r"\d{1,18}"
    also = {"list": OURS}
