"""A client that begins a request and stalls; what a web worker looks through for garbage."""

import gc
import socket
import time
from collections.abc import Iterator

import pytest

from config.web_server import YOUNG, be_patient, post_worker_init


@pytest.fixture
def thawed() -> Iterator[None]:
    """The collector as it is before anything was frozen; and as it was, afterwards."""
    before = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.freeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("thawed")
def test_what_was_loaded_is_looked_through_no_more() -> None:
    loaded: list[object] = []
    loaded.append(loaded)
    post_worker_init(None)
    assert gc.get_freeze_count() > YOUNG and not any(it is loaded for it in gc.get_objects())
    assert gc.get_threshold()[0] == YOUNG and gc.isenabled()


def test_a_connection_that_stalls_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        be_patient(listener, 0.1)
        with socket.create_connection(listener.getsockname()) as client:
            client.sendall(b"GET / HT")
            taken, _ = listener.accept()
            with taken:
                taken.setblocking(True)  # as the web server's threads do
                assert taken.recv(100) == b"GET / HT"
                began = time.monotonic()
                with pytest.raises(BlockingIOError):
                    taken.recv(100)
                assert time.monotonic() - began < 5
