"""Put the engine's run and the hand-kept account side by side."""

import math

import numpy as np
from support.market_lists import Market
from support.plain_account import PlainAccount
from support.scripted import Ran

from plimsoll.engine.market.panel import Panel

MONEY = (
    "equity", "cash", "long", "short", "price_pnl", "dividends", "interest", "financing", "borrow", "commission",
    "spread", "impact", "fees", "traded", "flow", "maintenance",
)  # fmt: skip
FRACTIONS = ("ret", "drawdown")


def market_of(panel: Panel, bill: list[float] | None = None, flow: dict[int, float] | None = None) -> Market:
    """Spread a panel out into plain lists."""
    columns = {
        name: {s: getattr(panel, name)[:, i].tolist() for i, s in enumerate(panel.symbols)}
        for name in ("open", "close", "volume", "dividend", "split")
    }
    return Market(
        symbols=list(panel.symbols),
        day=panel.clock.session_index.tolist(),
        opening=panel.clock.first_bar.tolist(),
        bill=[0.0] * panel.n_bars if bill is None else bill,
        date=[str(session) for session in panel.clock.session],
        flow=flow or {},
        **columns,
    )


def assert_same_account(ran: Ran, plain: PlainAccount, tolerance: float = 1e-9) -> None:
    """Compare every bar, every fill and every decision; money relative to the account's own size on the bar."""
    table = ran.equity
    assert len(table) == len(plain.rows)
    size = np.array([max(abs(r["equity"]) + r["long"] + r["short"] + abs(r["cash"]), 1e-9) for r in plain.rows])
    for name in MONEY:
        ours, theirs = table[name].to_numpy(), np.array([r[name] for r in plain.rows])
        worst = np.abs(ours - theirs) / size
        assert worst.max() <= tolerance, (
            f"{name}: {ours[worst.argmax()]} vs {theirs[worst.argmax()]} at {worst.argmax()}"
        )
    for name in FRACTIONS:
        np.testing.assert_allclose(
            table[name], [r[name] for r in plain.rows], rtol=0, atol=10 * tolerance, err_msg=name
        )
    if not plain.ruined:
        held = np.array([[row[s] for s in ran.result.weights.columns] for row in plain.held])
        np.testing.assert_allclose(ran.result.weights.to_numpy(), held, rtol=0, atol=10 * tolerance)
    assert_same_fills(ran, plain, tolerance)
    decided = {decision.t: decision.target.weights for decision in ran.track.decisions}
    assert sorted(decided) == sorted(plain.targets)
    for t, weights in decided.items():
        expected = [plain.targets[t][s] for s in ran.setup.panel.symbols]
        np.testing.assert_allclose(weights, expected, rtol=0, atol=10 * tolerance)


def assert_same_fills(ran: Ran, plain: PlainAccount, tolerance: float) -> None:
    """Compare fills one by one: bar, symbol, quantity, price, what they cost, whether they answer an order."""
    symbols = ran.setup.panel.symbols
    ours = sorted(
        (int(f[0]), symbols[int(f[1])], f[2], f[3], f[4] + f[5] + f[6], f[10] >= 0) for f in ran.setup.broker.fills
    )
    theirs = sorted(plain.fills, key=lambda fill: fill[:3])
    assert [f[:2] for f in ours] == [f[:2] for f in theirs]
    for a, b in zip(ours, theirs, strict=True):
        scale = max(abs(b[2]), plain.terms.cash / b[3])
        assert math.isclose(a[2], b[2], rel_tol=tolerance, abs_tol=tolerance * scale), (a, b)
        assert a[3] == b[3]
        assert math.isclose(a[4], b[4], rel_tol=1e-6, abs_tol=tolerance * plain.terms.cash), (a, b)
        assert b[5] is None or a[5] == b[5], (a, b)
