"""Compares optimizers on real models: experiments, runs and verdicts."""
