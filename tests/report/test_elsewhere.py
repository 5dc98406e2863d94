"""A run in the forms that other libraries take: the same account, differently stamped."""

import numpy as np
import pytest

from plimsoll import Result
from plimsoll.engine.report.result import record_of


def test_positions_and_cash_are_the_account(result: Result) -> None:
    returns, positions, transactions = result.to_pyfolio()
    assert str(returns.index.tz) == str(positions.index.tz) == str(transactions.index.tz) == "UTC"
    assert returns.to_numpy().tobytes() == result.returns.to_numpy().tobytes()
    equity = result.equity["equity"].to_numpy()[record_of(result).rows]
    assert positions.sum(axis=1).to_numpy() == pytest.approx(equity, rel=1e-9)
    assert list(positions.columns) == [*result.weights.columns, "cash"]
    assert len(transactions) == len(result.fills)
    spent = (transactions["amount"] * transactions["price"]).groupby(transactions["symbol"]).sum()
    own = (result.fills["qty"] * result.fills["price"]).groupby(result.fills["symbol"].astype(str)).sum()
    assert spent.to_dict() == pytest.approx(own.to_dict())


def test_returns_for_quantstats_have_no_zone_and_the_name_of_the_run(result: Result) -> None:
    returns = result.to_quantstats()
    assert returns.index.tz is None
    assert returns.name == result.name
    assert np.prod(1.0 + returns.to_numpy()) == pytest.approx(1.0 + result.metrics["total_return"])
