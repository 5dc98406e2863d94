"""What a run's report shows beside the run itself."""

from typing import Literal

from plimsoll.engine.config.section import Section


class ReportSection(Section):
    """What else is worked out for the report; the run is the same with and without."""

    regime_off: bool = False
    """The same sleeves in the same book with stage 6 off: preset 'book'."""
    ladder: bool = False
    """The same sleeves allocated by HRP, ERC, NCO, inverse volatility, 1/N of risk and 1/N, net of costs: preset
    'book'."""
    risk_free: Literal["auto", "none"] = "auto"
    """What returns are measured over where cash_rate is 0: a bill fund (BIL, SGOV) that the data have, or nothing; what
    cash earns is cash_rate either way."""
