"""Settings of the web server that are no words of its command line: who stalls does not keep a thread, and what was loaded is not
looked through for garbage again and again."""

import gc
import socket
import struct
from typing import Any

from config.environment import integer
from ingestion.giving_way import give_way

STALL_SECONDS = 15  # between two pieces of a request that is sent, or of an answer that is taken
YOUNG, MIDDLE, OLD = 20_000, 20, 50  # objects until garbage is looked for: a page makes thousands, and 700 is usual


def post_worker_init(_: object) -> None:
    """What stands after loading stays: modules, templates, addresses. A tenth of a page's processor time went into that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def when_ready(server: Any) -> None:  # noqa: ANN401 - the server calls it so
    """Accepted connections inherit the listeners' patience, and processes the niceness."""
    if niceness := integer("WEB_NICENESS", 0):
        give_way(niceness)
    for listener in server.LISTENERS:
        be_patient(listener.sock, STALL_SECONDS)


def be_patient(listener: socket.socket, seconds: float) -> None:
    """Let no read or write of its connections wait longer, also where threads wait without a time of their own."""
    patience = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        listener.setsockopt(socket.SOL_SOCKET, option, patience)
