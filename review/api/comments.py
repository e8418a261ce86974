"""Comments by REST."""

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.person import person_of
from reconciliation.models import Break
from review.api.door import Door
from review.api.idempotency import KEY_HEADER, once
from review.api.permissions import check_right
from review.api.strict import StrictSerializer
from review.audit_events import READS
from review.comments import WRITES, CommentRefused, add_comment, comments_of, withdraw_comment
from review.models import Comment
from review.models.comment import LONGEST


class CommentSerializer(serializers.ModelSerializer):
    """A comment; the text of a withdrawn one is null but for who reads the audit log."""

    text = serializers.SerializerMethodField()
    written_by = serializers.CharField(source="written_by.username")
    withdrawn_by = serializers.CharField(source="withdrawn_by.username", allow_null=True, default=None)
    mentions = serializers.SlugRelatedField("username", many=True, read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = Comment
        fields = ("id", "text", "written_by", "written_at", "corrects", "mentions", "withdrawn_by", "withdrawn_at")

    def get_text(self, comment: Comment) -> str | None:
        """What was said."""
        return comment.text if comment.withdrawn_at is None or self.context["reads"] else None


class SaySerializer(StrictSerializer):
    """What is to be said; `corrects` is the id of one's own comment that it replaces."""

    text = serializers.CharField(max_length=LONGEST)
    corrects = serializers.IntegerField(default=None, allow_null=True, min_value=1, max_value=2**63 - 1)


def _shown(request: Request, comment: Comment) -> dict[str, object]:
    return dict(CommentSerializer(comment, context={"reads": request.user.has_perm(READS)}).data)


def _writer(request: Request) -> User:
    by = person_of(request)
    check_right(request, WRITES, "Commenting")
    return by


class CommentsView(Door):
    """The comments on a break."""

    scope = "decide"

    @extend_schema(responses=CommentSerializer(many=True))
    def get(self, request: Request, pk: str) -> Response:
        """What was said of a break, oldest first."""
        found = comments_of(get_object_or_404(Break.objects.visible_to(request.user), pk=pk))
        return Response([_shown(request, it) for it in found])

    @extend_schema(parameters=[KEY_HEADER], request=SaySerializer, responses={201: CommentSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Say something, or correct one's own comment. `@name` calls a person who may see the break."""
        by = _writer(request)
        brk = get_object_or_404(Break.objects.visible_to(by).select_related("reconciliation"), pk=pk)
        asked = SaySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        corrects = get_object_or_404(Comment, pk=given["corrects"], brk=brk) if given["corrects"] else None

        def act() -> Response:
            said = add_comment(brk=brk, by=by, text=given["text"], corrects=corrects)
            return Response(_shown(request, said), status=201)

        return once(request, act, {CommentRefused: 400})


class WithdrawCommentView(Door):
    """A comment that is to be taken back."""

    scope = "decide"

    @extend_schema(parameters=[KEY_HEADER], request=None, responses={201: CommentSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Withdraw it; its text is kept for who reads the audit log."""
        found = Comment.objects.filter(brk__in=Break.objects.visible_to(request.user)).select_related(
            "brk__reconciliation"
        )
        comment, by = get_object_or_404(found, pk=pk), _writer(request)

        def act() -> Response:
            return Response(_shown(request, withdraw_comment(comment=comment, by=by)), status=201)

        return once(request, act, {CommentRefused: 400})
