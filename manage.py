#!/usr/bin/env python
"""Tieout's command line."""

import os
import sys


def main() -> None:
    """Run one management command with the project's settings. What the surroundings lack is a sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit(
            "This Python has no Django. Make Tieout's own with `make setup`, then call .venv/bin/python manage.py."
        )

    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        from config.failures import sentence_of

        if "--traceback" in sys.argv or not (sentence := sentence_of(error)):
            raise
        sys.exit(sentence)


if __name__ == "__main__":
    main()
