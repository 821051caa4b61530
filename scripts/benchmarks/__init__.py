"""Benchmarks of the optimizers; `run.py` is the command."""
