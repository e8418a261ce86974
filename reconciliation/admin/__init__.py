"""The admin's pages of what agrees, and of what arrived for it; each shows what the user's teams may see."""

from reconciliation.admin.alerts import AlertAdmin, AlertTargetAdmin, NoticeAdmin
from reconciliation.admin.deadlines import DeadlineAdmin, ExpectationAdmin, TickAdmin
from reconciliation.admin.deliveries import DeliveryAdmin, QuarantinedRowAdmin
from reconciliation.admin.offered import OfferedThingAdmin
from reconciliation.admin.reconciliations import ReconciliationAdmin
from reconciliation.admin.record_types import RecordTypeAdmin
from reconciliation.admin.sources import SourceAdmin
from reconciliation.admin.teams import TeamAdmin
from reconciliation.admin.value_maps import ValueMapAdmin

__all__ = [
    "AlertAdmin",
    "AlertTargetAdmin",
    "DeadlineAdmin",
    "DeliveryAdmin",
    "ExpectationAdmin",
    "NoticeAdmin",
    "OfferedThingAdmin",
    "QuarantinedRowAdmin",
    "ReconciliationAdmin",
    "RecordTypeAdmin",
    "SourceAdmin",
    "TeamAdmin",
    "TickAdmin",
    "ValueMapAdmin",
]
