"""Sampling: the gradients of mini-batches, by any framework."""
