"""Nothing that a program says is passed over: a field or parameter that nobody knows is refused, with the nearest one."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from ingestion.suggestion import nearest_end

PLAIN = (serializers.DateField, serializers.DateTimeField, serializers.IntegerField, serializers.DecimalField)
OF_FORMS = ("csrfmiddlewaretoken",)  # what a browser's form carries beside its fields


class StrictSerializer(serializers.Serializer):
    """A body whose fields are all known."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401
        """The values; ValidationError names each field that there is none of."""
        unknown = (
            [name for name in data if name not in self.fields and name not in OF_FORMS] if _has_names(data) else []
        )
        if unknown:
            raise ValidationError(
                {name: [f"There is no such field{nearest_end(name, self.fields)}"] for name in unknown}
            )
        if strange := {name: said for name, field in self.fields.items() if (said := _other_digits(field, data))}:
            raise ValidationError(strange)
        return super().to_internal_value(data)


def _other_digits(field: Any, data: Any) -> Any:  # noqa: ANN401
    """What the field says of a number or a date in other digits than 0 to 9, which Python would read."""
    if not isinstance(field, PLAIN) or not _has_names(data):
        return None
    given = field.get_value(data)
    if not isinstance(given, str) or given.isascii():
        return None
    try:
        field.run_validation("?")
    except ValidationError as refused:
        return refused.detail
    return None


def _has_names(data: object) -> bool:
    return hasattr(data, "keys")


def one_of(request: Request, name: str, known: Iterable[str], default: str = "") -> str:
    """A parameter of the address that has few values; `default` where it is not given. ValidationError says what there is where it
    is none of them."""
    given, known = request.GET.get(name) or default, list(known)
    if given and given not in known:
        raise ValidationError({"detail": f"There is no {name} {given[:40]!r}{nearest_end(given, known)}"})
    return given


def check_parameters(request: Request, known: Iterable[str]) -> None:
    """Each parameter of the address is known and stands once; ValidationError says which is not."""
    known = list(known)
    for name, values in request.GET.lists():
        if name not in known:
            raise ValidationError({"detail": f"There is no parameter {name!r} here{nearest_end(name, known)}"})
        if len(values) > 1:
            raise ValidationError({"detail": f"The parameter {name!r} stands {len(values)} times. Send it once."})
