"""Session tokens: the keys behind them, their issue, their verification, revocation and the limit on wrong ones."""
