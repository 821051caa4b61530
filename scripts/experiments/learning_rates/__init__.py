"""The search for learning rates to start with."""
