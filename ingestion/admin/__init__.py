"""The admin's pages of what arrives."""

from ingestion.admin.calendars import CalendarAdmin, HolidayAdmin

__all__ = ["CalendarAdmin", "HolidayAdmin"]
