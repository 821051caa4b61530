"""The demo: what it trains on, compares with and reports."""
