"""Samples the gradients of mini-batches, in any framework."""
