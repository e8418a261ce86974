"""The admin as an app of ours: the same models and pages, behind our sign-in."""

from django.contrib.admin.apps import AdminConfig


class TieoutAdminConfig(AdminConfig):
    """Django's admin with `config.admin_site.TieoutAdminSite` as its site."""

    default_site = "config.admin_site.TieoutAdminSite"
