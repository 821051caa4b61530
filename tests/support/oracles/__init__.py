"""The optimizers in NumPy float64, one step at a time.

Written from the papers' equations alone: nothing here imports `keras_clip`,
and nothing in `keras_clip` imports this.
"""
