"""What a test committed goes after it: each table stands again as the migrations left it. Django truncates all tables and sends
post_migrate, which makes every right anew; here only what was filled is emptied, and what the migrations filled is copied back."""

from django.db import connection

KEPT = """
DO $$
DECLARE
    name text;
    is_filled boolean;
BEGIN
    CREATE SCHEMA as_migrated;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO is_filled;
        IF is_filled THEN
            EXECUTE format('CREATE TABLE as_migrated.%I AS TABLE public.%I', name, name);
        END IF;
    END LOOP;
END $$
"""
TAKEN_BACK = """
DO $$
DECLARE
    name text;
    is_filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica; -- no trigger, no foreign key: all goes at once
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO is_filled;
        IF is_filled THEN
            EXECUTE format('DELETE FROM public.%I', name);
        END IF;
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'as_migrated' LOOP
        EXECUTE format('INSERT INTO public.%I TABLE as_migrated.%I', name, name);
    END LOOP;
END $$
"""


def keep_as_migrated() -> None:
    """Remember what the migrations filled, once a test database."""
    with connection.cursor() as cursor:
        cursor.execute(KEPT)


def take_back(*_: object) -> None:
    """Empty what tests filled, and copy back what the migrations did."""
    with connection.cursor() as cursor:
        cursor.execute(TAKEN_BACK)
