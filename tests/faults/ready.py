"""A process that has loaded the libraries, and becomes a worker by a fork: of the three seconds of CPU that each start takes, two are
spent on them. What is ours is loaded anew by each, under its own settings."""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import celery.bin.worker  # noqa: F401
import celery.concurrency.prefork  # noqa: F401
import celery.worker.consumer  # noqa: F401
import django.contrib.postgres.fields  # noqa: F401
import django.core.management  # noqa: F401
import django.db.models  # noqa: F401
import duckdb  # noqa: F401
import kombu.transport.redis  # noqa: F401
import pandas  # noqa: F401
import psycopg  # noqa: F401
import scipy.sparse  # noqa: F401
import scipy.special  # noqa: F401


def start_module(command: Sequence[str], env: Mapping[str, str], log: Path) -> BaseProcess:
    """Start `python -m module ...` in a session of its own, as subprocess would."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_become, args=(list(command[2:]), dict(env), log))
    process.start()
    return process


def _become(words: list[str], env: dict[str, str], log: Path) -> None:
    os.setsid()
    with log.open("wb") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
