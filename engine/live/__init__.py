"""From a decision to orders of the day: positions and prices as they are, the plan, and what is sent."""
