"""Whether a strategy's record is skill, luck or overfitting."""
