"""A step on TensorFlow: one graph that moves variables where they are.

`keras_clip.step` decides and observes here too. To move, variables are grouped:
the small ones are one long vector, the large ones are each updated by a
function that XLA compiles for its shape.
"""
