"""The admin's pages of the whole set-up, of the people, and of the schedules."""

from config.admin.locks import LockAdmin
from config.admin.people import PersonAdmin
from config.admin.schedules import ScheduleAdmin

__all__ = ["LockAdmin", "PersonAdmin", "ScheduleAdmin"]
