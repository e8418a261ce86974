"""The admin's pages of the whole set-up, and of the people."""

from config.admin.people import PersonAdmin

__all__ = ["PersonAdmin"]
