"""Commands that measure: analyze, backtest, and the trials behind them."""
