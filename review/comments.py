"""Comments on a break. Nothing said is changed or deleted: its author corrects it by another comment, or it is withdrawn, and who
reads the audit log still sees the text. A name after `@` calls a person to it, but only one who may see the break."""

import datetime as dt
import re
from collections.abc import Sequence
from functools import reduce
from operator import or_

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ingestion import custody
from ingestion.alerts import raise_event
from reconciliation.models import Break
from review.models import Comment, Mention
from review.models.comment import LONGEST
from review.nul import NO_NUL_IN_COMMENT
from review.recorded import record_comment
from review.rights import who_sees

WRITES, WITHDRAWS = "review.add_comment", "review.change_comment"
NAME = re.compile(r"(?<![\w@.+-])@(\w[\w.+-]*)")
MOST_NAMES = 10  # people that a comment calls
MOST_A_MINUTE = 10
TWICE = dt.timedelta(seconds=10)  # the same words again within it are a double click
OFFERED = 8  # names that complete a beginning


class CommentRefused(Exception):
    """A comment that cannot be; the text says why, and what helps. Nothing was written."""


@transaction.atomic
def add_comment(*, brk: Break, by: User, text: str, corrects: Comment | None = None) -> Comment:
    """Say something about a break, or correct one's own comment; who is named in it is told. A double click says it once."""
    if not by.has_perm(WRITES):
        raise CommentRefused("Analysts, Supervisors and Managers comment. Ask one of them.")
    text = _text(text)
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # a double click waits here, and finds the first one
    now = timezone.now()
    if (same := _same(brk, by, text, now)) is not None:
        return same
    _may_go_on(by, now)
    if corrects is not None:
        _may_correct(corrects, brk, by)
    called = _called(brk, text)
    comment = Comment.objects.create(brk=brk, text=text, written_by=by, written_at=now, corrects=corrects)
    named = Mention.objects.bulk_create(Mention(comment=comment, person=person) for person in called)
    custody.seal([comment])
    custody.seal(named)
    record_comment(
        "comment.written", comment, by, text=text, corrects=corrects and corrects.pk,
        names=[person.get_username() for person in called],
    )  # fmt: skip
    for person in called:
        _tell(comment, person)
    return comment


def _tell(comment: Comment, person: User) -> None:
    """The alert names the break's number alone: an e-mail carries no record."""
    if person == comment.written_by:
        return
    brk = comment.brk
    raise_event(
        event="comment.mention", mark=f"break {brk.pk}", person=person, link=f"{brk.get_absolute_url()}#comment-{comment.pk}",
        sentence=f"{comment.written_by} names you in a comment on break {brk.pk} of {brk.reconciliation}.",
        reconciliation=brk.reconciliation_id, occurrence=f"comment {comment.pk}", now=comment.written_at,
    )  # fmt: skip


@transaction.atomic
def withdraw_comment(*, comment: Comment, by: User) -> Comment:
    """Take a comment back: its author, or a Manager. Its text is kept for who reads the audit log."""
    comment = Comment.objects.select_for_update(of=["self"]).select_related("brk__reconciliation").get(pk=comment.pk)
    if comment.written_by_id != by.pk and not by.has_perm(WITHDRAWS):
        raise CommentRefused("Its author or a Manager withdraws a comment.")
    if comment.withdrawn_at is not None:
        raise CommentRefused("This comment was withdrawn already.")
    comment.withdrawn_by, comment.withdrawn_at = by, timezone.now()
    comment.save(update_fields=["withdrawn_by", "withdrawn_at"])
    custody.seal([comment])
    record_comment("comment.withdrawn", comment, by)
    return comment


def comments_of(brk: Break) -> QuerySet[Comment]:
    """What was said of a break, oldest first, with who said it and whom it calls."""
    people = ("written_by", "withdrawn_by", "corrects", "corrected_by")
    return brk.comments.select_related(*people).prefetch_related("mentions").order_by("id")


def people_who_see(brk: Break, beginning: str) -> list[str]:
    """The names that begin so, of people who may see the break; a few."""
    found = _people(brk).filter(username__istartswith=beginning).order_by("username")
    return list(found.values_list("username", flat=True)[:OFFERED])


def _text(given: str) -> str:
    text = given.replace("\r\n", "\n").strip()
    if not text:
        raise CommentRefused("Write what is to be said; an empty comment says nothing.")
    if "\0" in text:
        raise CommentRefused(NO_NUL_IN_COMMENT)
    if len(text) > LONGEST:
        raise CommentRefused(f"A comment has at most {LONGEST:,} characters; this one has {len(text):,}.")
    return text


def _same(brk: Break, by: User, text: str, now: dt.datetime) -> Comment | None:
    lately = Comment.objects.filter(brk=brk, written_by=by, text=text, withdrawn_at=None, written_at__gt=now - TWICE)
    return lately.first()


def _may_go_on(by: User, now: dt.datetime) -> None:
    lately = Comment.objects.filter(written_by=by, written_at__gt=now - dt.timedelta(minutes=1))
    if lately.count() >= MOST_A_MINUTE:
        raise CommentRefused(f"You wrote {MOST_A_MINUTE} comments within a minute. Wait a moment, then go on.")


def _may_correct(comment: Comment, brk: Break, by: User) -> None:
    if comment.brk_id != brk.pk:
        raise CommentRefused("That comment is about another break.")
    if comment.written_by_id != by.pk:
        raise CommentRefused("Nobody corrects what another person said. Answer it by a comment of your own.")
    if comment.withdrawn_at is not None or Comment.objects.filter(corrects=comment).exists():
        raise CommentRefused("This comment was withdrawn or corrected already. Write a new one.")


def _called(brk: Break, text: str) -> Sequence[User]:
    """The people whom a text names. One that may not see the break is as unknown as one that does not exist."""
    names = list(dict.fromkeys(found.rstrip(".-+").lower() for found in NAME.findall(text)))
    if len(names) > MOST_NAMES:
        raise CommentRefused(f"A comment names at most {MOST_NAMES} people.")
    if not names:
        return []
    meant = reduce(or_, (Q(username__iexact=name) for name in names))
    known = {it.get_username().lower(): it for it in _people(brk).filter(meant)}
    if unknown := [name for name in names if name not in known]:
        raise CommentRefused(
            f"Nobody who may see this break is called @{unknown[0]}. Check the name, or leave the @ out."
        )
    return [known[name] for name in names]


def _people(brk: Break) -> QuerySet[User]:
    return User.objects.filter(who_sees(brk), is_active=True)
