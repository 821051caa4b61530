"""The demo: its data, its baselines and its report."""
