"""The estimators: functions from arrays of samples to numbers."""
