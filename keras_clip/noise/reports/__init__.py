"""Reports: what samples say, which thresholds suit them, and the plots."""
