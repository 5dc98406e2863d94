#!/usr/bin/env bash
# alpaca-py takes a redirect for success: the body of a 302 comes back as if it were the account.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages alpaca-py==0.44.0 <<'PYTHON'
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from alpaca.trading.client import TradingClient


class Moved(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"note": "moved", "cash": "1"}'
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Moved)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = TradingClient("key", "secret", paper=True, raw_data=True, url_override=f"http://127.0.0.1:{server.server_port}")
answer = client.get_account()
server.shutdown()
print("alpaca-py", version("alpaca-py"), "- status 302, returned as the account:", answer)
sys.exit(0 if answer == {"note": "moved", "cash": "1"} else 1)
PYTHON
