"""Comment: what a person says about a break. Nothing said is changed: it is corrected by another comment, or withdrawn."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from reconciliation.models import Break

LONGEST = 2000  # characters of a comment


class Comment(models.Model):
    """A comment. A withdrawn one keeps its text, which who reads the audit log still sees."""

    brk = models.ForeignKey(
        Break,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="comments",
        db_column="break_id",
        verbose_name="break",
    )
    text = models.TextField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    written_at = models.DateTimeField()
    corrects = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrected_by",
        help_text="What it replaces.",
    )
    mentions = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Mention", related_name="mentioned_in", help_text="Who is called to it."
    )
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="comments_withdrawn"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["brk", "id"], name="comment_of_break"),
            models.Index(
                fields=["written_by", "-written_at"], name="comment_by_person"
            ),  # how many somebody wrote lately
        ]
        constraints = [
            CheckConstraint(
                condition=~Q(text="") & Q(LessThanOrEqual(Length("text"), LONGEST)), name="comment_has_text"
            ),
            CheckConstraint(
                condition=Q(withdrawn_by=None, withdrawn_at=None)
                | Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False),
                name="comment_withdrawn_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"comment {self.pk}"


class Mention(models.Model):
    """A person whom a comment names, and who is told of it."""

    comment = models.ForeignKey(Comment, on_delete=models.PROTECT, db_index=False, related_name="named")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [UniqueConstraint(fields=["comment", "person"], name="mention_once_a_person")]

    def __str__(self) -> str:
        return f"{self.comment} names {self.person}"
