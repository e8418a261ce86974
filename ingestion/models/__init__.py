"""What arrives, and in which shape."""

from ingestion.models.alert import Alert, AlertTarget, Notice
from ingestion.models.audit_event import AuditCheck, AuditEvent
from ingestion.models.calendar import Calendar, Holiday
from ingestion.models.deadline import Deadline, Expectation
from ingestion.models.delivery import Delivery, Normalization, QuarantinedRow
from ingestion.models.offered import OfferedThing
from ingestion.models.proposal import MappingProposal
from ingestion.models.push import OpenDelivery, Receipt
from ingestion.models.record_type import Field, RecordType
from ingestion.models.repair import Repair, RepairedCell
from ingestion.models.schedule import Schedule
from ingestion.models.seal import Seal
from ingestion.models.source import CodeTranslation, Mapping, Source
from ingestion.models.tick import Tick
from ingestion.models.tombstone import Tombstone
from ingestion.models.work import ClaimedWork

__all__ = [
    "Alert",
    "AlertTarget",
    "AuditCheck",
    "AuditEvent",
    "Calendar",
    "ClaimedWork",
    "CodeTranslation",
    "Deadline",
    "Delivery",
    "Expectation",
    "Field",
    "Holiday",
    "Mapping",
    "MappingProposal",
    "Normalization",
    "Notice",
    "OfferedThing",
    "OpenDelivery",
    "QuarantinedRow",
    "Receipt",
    "RecordType",
    "Repair",
    "RepairedCell",
    "Schedule",
    "Seal",
    "Source",
    "Tombstone",
    "Tick",
]
