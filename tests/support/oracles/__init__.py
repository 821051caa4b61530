"""The optimizers in NumPy float64, and other expected values.

Written from the papers' equations, and of SQuAD's scores and BERT from their
descriptions, alone: nothing here imports `keras_clip`,
and nothing in `keras_clip` imports this.
"""
