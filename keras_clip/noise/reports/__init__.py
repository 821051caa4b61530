"""Reports on samples of the noise: estimates, suggested thresholds, plots."""
