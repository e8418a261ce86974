"""The carrier of this example: an HTTP API that gives its shipments page by page to who has the token.

python examples/every_source/carrier.py PORT     (the token in TIEOUT_DEMO_TOKEN)
"""

import hmac
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PAGE = 25  # records
MOVED = json.loads(Path(__file__).with_name("moved.json").read_text(encoding="utf-8"))


class Carrier(BaseHTTPRequestHandler):
    """GET /shipments?changed_since=...&after=...: {"data": [...], "meta": {"next": cursor or null}}."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A page of what changed after a moment, from a place on."""
        given = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {os.environ['TIEOUT_DEMO_TOKEN']}"):
            self._answer(401, {"error": "A bearer token is needed."})
            return
        changed = [it for it in MOVED if it["changed_at"] > given.get("changed_since", "")]
        start = int(given["after"]) if given.get("after", "").isdecimal() else 0
        end = start + PAGE
        self._answer(200, {"data": changed[start:end], "meta": {"next": str(end) if end < len(changed) else None}})

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(port: int) -> ThreadingHTTPServer:
    """The server on a port of the loopback, 0 for a free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), Carrier)


if __name__ == "__main__":
    serve(int(sys.argv[1])).serve_forever()
