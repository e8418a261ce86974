"""The set-up by REST: the same services as the set-up pages and `manage.py define`."""
