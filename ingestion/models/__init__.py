"""What arrives, and in which shape."""

from ingestion.models.calendar import Calendar, Holiday
from ingestion.models.delivery import Delivery, Normalization, QuarantinedRow
from ingestion.models.offered import OfferedThing
from ingestion.models.push import OpenDelivery, Receipt
from ingestion.models.record_type import Field, RecordType
from ingestion.models.seal import Seal
from ingestion.models.source import CodeTranslation, Mapping, Source
from ingestion.models.work import ClaimedWork

__all__ = [
    "Calendar",
    "ClaimedWork",
    "CodeTranslation",
    "Delivery",
    "Field",
    "Holiday",
    "Mapping",
    "Normalization",
    "OfferedThing",
    "OpenDelivery",
    "QuarantinedRow",
    "Receipt",
    "RecordType",
    "Seal",
    "Source",
]
