"""Sign-ins, refused ones and sign-outs in the audit log, from every door: Django tells of them by signals alone."""

from collections.abc import Mapping

from axes.signals import user_locked_out
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from ingestion.audit_log import record_event
from review.preferences import carry
from review.sessions import begin

NOBODY = "unknown name"  # what was typed may be a password in the wrong place, so it is not kept


def watch_sign_ins() -> None:
    """Record from now on."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit")
    user_logged_out.connect(_signed_out, dispatch_uid="audit")
    user_login_failed.connect(_refused, dispatch_uid="audit")
    user_locked_out.connect(_locked, dispatch_uid="audit")


def _signed_in(sender: object, user: AbstractBaseUser, request: HttpRequest | None = None, **_: object) -> None:
    if request is not None:
        begin(request)
        carry(request, user)
    record_event("session.signed_in", of="session", by=user)


def _signed_out(sender: object, user: AbstractBaseUser | None, **_: object) -> None:
    if user is not None:
        record_event("session.signed_out", of="session", by=user)


def _refused(
    sender: object, credentials: Mapping[str, object], request: HttpRequest | None = None, **_: object
) -> None:
    if getattr(request, "axes_locked_out", False):
        return  # that it is locked was told once; who goes on trying fills no log
    record_event("session.refused", of="session", by=_known(credentials.get("username")))


def _locked(sender: object, request: HttpRequest, username: str | None = None, **_: object) -> None:
    if not getattr(request, "axes_failures_since_start", None):
        return  # it was locked before, and nothing was tried
    what = "all names" if getattr(request, "all_names_locked", False) else ""
    record_event("session.locked", of="session", by=_known(username), name=what)


def _known(given: object) -> str:
    name = str(given or "")[:150].replace("\0", "")
    return User.objects.filter(username=name).values_list("username", flat=True).first() or NOBODY
