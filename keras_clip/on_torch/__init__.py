"""A step on torch, which updates tensors in place.

`keras_clip.step` decides and observes here too. Tensors are updated in groups:
the small ones together as one long vector, each large one on its own, by a
graph of the rule that `torch.compile` turns into one loop.
"""
