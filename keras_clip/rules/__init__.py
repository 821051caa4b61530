"""The algorithms as pure functions of arrays, one module each.

A rule is a frozen dataclass of an algorithm's hyperparameters. Calling it maps
the values before a step to the values after it. It does not depend on
variables, devices, distribution or serialization, and both front ends run it.
"""
