"""A bank's month at full size, for measuring: a million breaks and five million stored rows (`manage.py generate_load`)."""
