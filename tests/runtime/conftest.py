"""Fixtures of the tests that run whole accounts."""

import pytest
from support.flows import Flows, flow_writer


@pytest.fixture(scope="session")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Flows:
    """Writer of files of deposits and withdrawals."""
    return flow_writer(tmp_path_factory.mktemp("flows"))
