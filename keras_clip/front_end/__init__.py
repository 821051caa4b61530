"""Arguments, config and state, shared by the optimizers of both front ends."""
