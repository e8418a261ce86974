"""How the API reads bodies: JSON in which nothing is ambiguous, and bodies as they came."""

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.utils.json import strict_constant


class RawJson(BaseParser):
    """The body as it came; the service reads it, so that numbers keep their digits."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ANN401
        """The bytes. Those of a connection that was cut are refused: half of the lines look like all of them."""
        try:
            body = bytes(stream.body if hasattr(stream, "body") else stream.read())
        except RequestDataTooBig:
            raise ValidationError({"detail": "The body is too large. Send fewer records in one push."}) from None
        told = parser_context["request"].META.get("CONTENT_LENGTH") or "" if parser_context else ""
        if told.isdecimal() and len(body) != int(told):
            raise ParseError(f"The body was cut: {len(body):,} of {int(told):,} bytes arrived. Send it again.")
        return body


class RawLines(RawJson):
    """The same for NDJSON."""

    media_type = "application/x-ndjson"


class ExactJson(RawJson):
    """JSON whose names stand once, whose texts can be kept, and whose nesting ends; anything else is a 400 that says so."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ANN401
        """The value."""
        body = super().parse(stream, media_type, parser_context)
        try:
            value = json.loads(body.decode(), object_pairs_hook=_named_once, parse_constant=strict_constant)
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except RecursionError:
            raise ParseError("JSON parse error - it is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from None
        if b"\\u0000" in body and _holds_nul(value):
            raise ParseError("A text or a name holds a NUL character. Take it out and try again.")
        return value


def _holds_nul(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, dict):
        return any(map(_holds_nul, value)) or any(map(_holds_nul, value.values()))
    return any(map(_holds_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object, so one of its values would be lost.")
    return found
