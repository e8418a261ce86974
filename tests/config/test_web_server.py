"""A client that begins a request and stalls."""

import socket
import time

import pytest

from config.web_server import be_patient


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
