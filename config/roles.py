"""Roles: which rights each group has."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

from review.rights import PROGRAMS

SET_UP = (
    "recordtype",
    "field",
    "source",
    "mapping",
    "codetranslation",
    "calendar",
    "holiday",
    "reconciliation",
    "reason",
    "team",
    "deadline",
    "alerttarget",
)
LOOK = "view_*"
TAKE = "add_export"  # who may look may take along what they see, which is recorded
CARRIED = (
    "reason",
    "codetranslation",
    "correction",
    "calendar",
    "holiday",
    "recordtype",
)  # a record type carries reference records
SCHEDULES = ("periodictask",)  # what beat does, and when
ROLES: dict[str, tuple[str, ...]] = {
    "Analyst": (LOOK, "add_decision", "add_comment", "add_auditanswer", "change_secondopinion", "add_repair", "add_run", "add_delivery"),
    "Supervisor": (
        LOOK, "add_decision", "change_decision", "add_comment", "add_auditanswer", "change_secondopinion", "add_repair", "change_repair", "add_run", "add_delivery",
    ),
    "Manager": (
        LOOK, "add_decision", "change_decision", "add_comment", "change_comment", "add_auditanswer", "change_secondopinion", "add_repair", "change_repair", "waive_check", "read_audit_log", "add_run",
        "add_delivery", "add_gatestep", "change_modelversion", "add_training", "change_reconciliation", "change_reason", "add_reason", "change_codetranslation", "add_codetranslation", "delete_codetranslation",
        *(f"{verb}_{model}" for model in CARRIED[:3] for verb in ("import", "export")),
    ),
    "Auditor": (LOOK, "see_every_team", "read_audit_log", "see_every_export", *(f"export_{model}" for model in CARRIED)),
    "Administrator": (
        LOOK, "see_every_team", "read_audit_log", "view_accessattempt", "delete_accessattempt", "add_run", "add_delivery", "add_user", "change_user", "add_group", "change_group",
        *(f"{verb}_{model}" for model in SET_UP for verb in ("add", "change")),
        "delete_holiday", "delete_deadline", "change_notice", "add_codetranslation", "delete_codetranslation", "add_apitoken", "delete_apitoken",
        *(f"{verb}_{model}" for model in CARRIED for verb in ("import", "export")),
        *(f"{verb}_{model}" for model in SCHEDULES for verb in ("view", "add", "change", "delete")),
    ),
    PROGRAMS: (LOOK, "add_decision", "add_comment", "add_repair", "add_run", "add_delivery"),
}  # fmt: skip
OURS = ("ingestion", "reconciliation", "attribution", "review")


def ensure_roles() -> None:
    """Make the groups with at least these rights; rights that were added by hand stay."""
    for app in apps.get_app_configs():  # on a fresh database those of later apps are not there yet
        create_permissions(app, verbosity=0)
    permissions = list(Permission.objects.select_related("content_type"))
    views = [p for p in permissions if p.codename.startswith("view_") and p.content_type.app_label in OURS]
    for role, names in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        wanted = [p for p in permissions if p.codename in (*names, TAKE)] + (views if LOOK in names else [])
        group.permissions.add(*wanted)
