"""How much of a track record is luck: probabilities of a Sharpe ratio, trials that are worth fewer, overfitting."""
