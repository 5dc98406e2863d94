"""What a stress test has to be told of a book."""

from pydantic import Field

from plimsoll.engine.config.section import Section


class StressSection(Section):
    """The run is the same with and without."""

    classes: dict[str, str] = Field(default_factory=dict)
    """Symbol -> asset class, for symbols the project does not know: what they do in a market they were not alive in."""
