"""What a token may do, and what its user."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from review.models import ApiToken

# The people who have a right by the roles as they are made (config/roles.py); every role lets look, and take along.
WHO = {
    "attribution.add_auditanswer": "Analyst, Supervisor or Manager",
    "attribution.add_gatestep": "Manager",
    "attribution.add_training": "Manager",
    "attribution.change_modelversion": "Manager",
    "attribution.change_secondopinion": "Analyst, Supervisor or Manager",
    "attribution.import_correction": "Manager or Administrator",
    "ingestion.add_delivery": "Analyst, Supervisor, Manager or Administrator",
    "ingestion.add_repair": "Analyst, Supervisor or Manager",
    "ingestion.add_mapping": "Administrator",
    "ingestion.read_audit_log": "Manager, Auditor or Administrator",
    "reconciliation.add_run": "Analyst, Supervisor, Manager or Administrator",
    "review.add_comment": "Analyst, Supervisor or Manager",
    "review.add_decision": "Analyst, Supervisor or Manager",
    "review.waive_check": "Manager",
}


def check_right(request: Request, right: str, what: str) -> None:
    """PermissionDenied with a sentence where the caller has not the right that `what`, such as `Deciding`, needs."""
    if not request.user.has_perm(right):
        who = f"the role {WHO[right]}" if right in WHO else "a role. Ask an Administrator"
        raise PermissionDenied(f"{what} needs {who}.")


class HasScope(BasePermission):
    """A token needs the scope that the view names; a person signed in needs none beside the role."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the token may."""
        if not request.user or not request.user.is_authenticated:
            return False
        is_reading = request.method in ("GET", "HEAD", "OPTIONS")
        needed = getattr(view, "reads", "read") if is_reading else getattr(view, "scope", "read")
        return not isinstance(request.auth, ApiToken) or needed in request.auth.scopes
