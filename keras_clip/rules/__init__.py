"""The equations: pure functions of arrays, one module per algorithm.

A rule is a frozen dataclass of an algorithm's hyperparameters. Calling it maps
the values before a step to the values after it; it knows nothing of variables,
devices, distribution or serialization. Both front ends run the same rules.
"""
