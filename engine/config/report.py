"""What a run's report shows beside the run itself."""

from plimsoll.engine.config.section import Section


class ReportSection(Section):
    """What else is worked out for the report; the run is the same with and without."""

    regime_off: bool = False
    """The same sleeves in the same book with stage 6 off: preset 'book'."""
    ladder: bool = False
    """The same sleeves allocated by HRP, ERC, NCO, inverse volatility, 1/N of risk and 1/N, net of costs: preset
    'book'."""
