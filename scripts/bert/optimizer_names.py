"""Lists the names of optimizers, without an import that takes ten seconds.

`OPTIMIZERS` is written by `python -m tests.support.listings`.
`MODEL_GARDEN_OPTIMIZERS` has those that TF Model Garden 2.20 can build, with
their kinds of step if `keras_clip.registry` has a name for them.
"""

OPTIMIZERS = (
    "acclip",
    "gclip",
    "cclip",
    "clip_adam_norm",
    "clip_adagrad_norm",
    "clip_adam",
    "clip_adagrad",
)
MODEL_GARDEN_OPTIMIZERS = {
    "adamw": "coordinate",
    "adamw_experimental": "coordinate",
    "adam": "coordinate",
    "adam_experimental": "coordinate",
    "rmsprop": "coordinate",
    "adagrad": "fading coordinate",
    "sgd": "gradient",
    "sgd_experimental": "gradient",
    "lamb": None,
    "lars": None,
    "adafactor_keras": None,
}
