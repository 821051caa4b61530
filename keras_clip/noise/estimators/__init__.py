"""The estimators: arrays in, numbers out."""
