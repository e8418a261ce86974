"""The admin's pages of the whole set-up, of the people, and of the schedules."""

from config.admin.people import PersonAdmin
from config.admin.schedules import ScheduleAdmin

__all__ = ["PersonAdmin", "ScheduleAdmin"]
