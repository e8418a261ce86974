"""Idempotency-Key: the same POST twice has one effect and one answer."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from review.models import IdempotentRequest

LONGEST = 200
AGAIN = "Retry-After"
Refusals = Mapping[type[Exception], int]
KEY_HEADER = OpenApiParameter(
    "Idempotency-Key", location=OpenApiParameter.HEADER, required=True, description="A new text for each new request."
)


def key_of(request: Request) -> str:
    """The Idempotency-Key of a POST; ValidationError without one."""
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= LONGEST:
        raise ValidationError(
            {
                "detail": f"Send an Idempotency-Key header of at most {LONGEST} characters, a new text for each new request."
            }
        )
    return key


def once(request: Request, act: Callable[[], Response], refusals: Refusals | None = None) -> Response:
    """Carry out a POST once per (user, Idempotency-Key); another body under the same key is refused. What a service refuses is
    answered with its sentence and the status of the first of the `refusals` that it is. Of an answer with Retry-After nothing is kept,
    so that the same request is carried out when it comes again."""
    key, digest = key_of(request), _digest_of(request)
    with transaction.atomic():
        kept, _ = IdempotentRequest.objects.select_for_update().get_or_create(
            user=person_of(request), key=key, defaults={"request_sha256": digest}
        )
        if kept.request_sha256 != digest or kept.status is not None:
            return _given_before(kept, digest)
        answer = _answered(act, refusals or {})
        if AGAIN in answer:
            kept.delete()
            return answer
        kept.status, kept.answer = answer.status_code, answer.data
        kept.save(update_fields=["status", "answer"])
        return answer


def looked(request: Request, look: Callable[[], Response], refusals: Refusals | None = None) -> Response:
    """As `once`, for what writes nothing and may take minutes: it is done in no transaction, which PostgreSQL would end as idle
    meanwhile. Of two at the same time both look, and both get the answer of who was first."""
    mine = {"user": person_of(request), "key": key_of(request)}
    digest = _digest_of(request)
    if (kept := IdempotentRequest.objects.filter(**mine).first()) is not None:
        return _given_before(kept, digest)
    answer = _answered(look, refusals or {})
    told = {"request_sha256": digest, "status": answer.status_code, "answer": answer.data}
    kept, _ = IdempotentRequest.objects.get_or_create(**mine, defaults=told)
    return _given_before(kept, digest)


def _digest_of(request: Request) -> str:
    return hashlib.sha256(repr((request.get_full_path(), _body(request))).encode()).hexdigest()


def _given_before(kept: IdempotentRequest, digest: str) -> Response:
    """What a key was answered before; a refusal where it was for another request."""
    if kept.request_sha256 != digest:
        return Response({"detail": "This Idempotency-Key was used for another request."}, status=422)
    return Response(kept.answer, status=kept.status)


def _answered(act: Callable[[], Response], refusals: Refusals) -> Response:
    try:
        return act()
    except tuple(refusals) as refused:
        status = next(status for kind, status in refusals.items() if isinstance(refused, kind))
        again = getattr(refused, "retry_after", 0)
        return Response({"detail": str(refused)}, status=status, headers={AGAIN: str(again)} if again else None)


def _body(request: Request) -> Any:  # noqa: ANN401
    if not hasattr(request.data, "items"):
        return str(request.data)
    pairs = request.data.lists() if hasattr(request.data, "lists") else request.data.items()
    return sorted(
        (key, [_told(it) for it in value] if isinstance(value, list) else _told(value)) for key, value in pairs
    )


def _told(value: Any) -> str:  # noqa: ANN401
    """A value as text, a file by its name and what it holds."""
    if not isinstance(value, UploadedFile):
        return str(value)
    digest = hashlib.sha256()
    for block in value.chunks():
        digest.update(block)
    value.seek(0)
    return f"{value.name} {digest.hexdigest()}"
