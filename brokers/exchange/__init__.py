"""A local exchange that speaks Alpaca's paper-trading API: to practise on, and to test a client against.

It is one account on one market, driven by a panel of daily bars under a virtual or a real clock. Three layers, each
knowing only the one before:

- the exchange (`matching`, with `tape`, `ledger`, `admission`, `overnight`): synchronous and deterministic; time comes
  in as an argument. `Exchange.submit`, `cancel`, `advance` are all that changes it.
- the counter (`desk`): `Desk.answer(Request) -> Reply` in the wire formats of the API, with faults, rate limit and the
  transcript. No network.
- the face (`server`): aiohttp on a loopback socket. `serve` is the command.

In a test, the fixture ``exchange`` (tests/brokers/conftest.py) builds all three around a panel and listens::

    def test_a_market_order_fills(exchange):
        venue = exchange(make_panel([100.0, 101.0, 102.0]), at="2019-01-03T10:00")
        client = TradingClient(venue.key_id, venue.secret, paper=True, url_override=venue.url)
        client.submit_order(MarketOrderRequest(symbol="S000", qty=1, side="buy", time_in_force="day"))
        venue.to("close")                                   # time passes, in order, minute by minute
        assert venue.transcript.happenings("fill")          # what happened, whatever the client believes

`venue.desk.exchange` is the exchange itself; change it only through ``venue.run(lambda desk: ...)``, which happens
between two requests. Slow and partial fills, rejects after acceptance, lagging reads and every fault are set with
`Behaviour`, `HandlingRule` and `Fault`, in Python or by POST to ``/_control/{behaviour,handling,faults,clock,halt}``
with the account's own keys; GET ``/_control/transcript`` returns what the tests believe.
"""
