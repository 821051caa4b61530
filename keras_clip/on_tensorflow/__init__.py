"""A step on TensorFlow, as one graph that updates variables in place.

`keras_clip.step` decides and observes here too. Variables are updated in
groups: the small ones together as one long vector, each large one by a function
that XLA compiles for its shape.
"""
