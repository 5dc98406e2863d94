#!/usr/bin/env bash
# alpaca-py: a CorporateActionsRequest without a limit ends after 1,000 actions although the server names a next page;
# limit=None reads them all. (The default of its `limit` is 1,000, and the client takes it for the total.)
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages alpaca-py==0.44.0 <<'PYTHON'
import json, sys, threading
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import CorporateActionsRequest


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        second = "page_token" in parse_qs(urlsplit(self.path).query)
        dividend = {"symbol": "SPY", "rate": 1.5, "ex_date": "2024-03-15"}
        body = {"corporate_actions": {"cash_dividends": [dividend] * (500 if second else 1000)},
                "next_page_token": None if second else "two"}
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        return


server = HTTPServer(("127.0.0.1", 0), Pages)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = CorporateActionsClient("key", "secret", raw_data=True, url_override=f"http://127.0.0.1:{server.server_port}")
found = {}
for name, given in (("default", {}), ("limit=None", {"limit": None})):
    asked = CorporateActionsRequest(symbols=["SPY"], start=date(2010, 1, 1), end=date(2024, 12, 31), **given)
    found[name] = len(client.get_corporate_actions(asked)["cash_dividends"])
print("alpaca-py", version("alpaca-py"), "- the server has 1,500 actions on two pages; read:", found)
sys.exit(0 if found == {"default": 1000, "limit=None": 1500} else 1)
PYTHON
