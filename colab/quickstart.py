# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
"""
# keras_clip in a few minutes

A small Transformer learns to predict the next character of a text, once with
Keras' Adam and once with ACClip, from the same weights and on the same batches.
Then training is saved, loaded and resumed. All of it runs on a TPU, a GPU or a
CPU, and needs no data from elsewhere.

The next cell installs the package where it is missing. It looks for it without
importing it, which would start Keras before its backend is chosen.
"""

# %%
# An address for `git clone`, or a folder that is mounted, with the repository
# of this notebook. It may be empty where the notebook is opened in a clone.
REPOSITORY = ""
EXTRAS = "plots,tensorflow"

import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("keras_clip") is None:
    folders = [Path.cwd(), *Path.cwd().parents]
    if REPOSITORY:
        folders = [Path(REPOSITORY).expanduser(), Path("keras_clip_clone")]
    for folder in folders:
        if REPOSITORY and folder.name == "keras_clip_clone":
            subprocess.run(["git", "clone", "--depth=1", REPOSITORY, folder])
        if (folder / "keras_clip" / "version.py").is_file():
            break
    else:
        sys.exit(
            "REPOSITORY must be the address of the repository, or a folder "
            f"that holds it. Received: REPOSITORY={REPOSITORY!r}"
        )
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", f"{folder}[{EXTRAS}]"],
        check=True,
    )

# %% [markdown]
# ## The device
#
# `KERAS_BACKEND` says what Keras runs on, if it is set. Otherwise it is JAX
# where JAX sees a TPU or a GPU, and else Keras' own choice, as a rule
# TensorFlow, which uses a GPU if it can. Where JAX has several devices, each
# computes a part of every batch.

# %%
import os

if "KERAS_BACKEND" not in os.environ and importlib.util.find_spec("jax"):
    import jax

    if (
        jax.devices()[0].platform in ("tpu", "gpu")
        or importlib.util.find_spec("tensorflow") is None
    ):
        os.environ["KERAS_BACKEND"] = "jax"

import json
import tempfile
from pydoc_data import topics

import keras
import matplotlib.pyplot as plt
import numpy as np

from keras_clip import ACClip

if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 12):
    sys.exit(f"Keras 3.12 or later is needed. Received: {keras.__version__}")
devices = keras.distribution.list_devices()
if keras.backend.backend() == "jax" and len(devices) > 1:
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=devices)
    )
print("Keras runs on", keras.backend.backend(), "with", ", ".join(devices))

# %% [markdown]
# ## What can be changed
#
# Both optimizers take the same learning rate, which was tuned for neither.

# %%
SEED = 0
EPOCHS = 6
STEPS_PER_EPOCH = 40
BATCH_SIZE = 32
LENGTH = 64
WIDTH = 64
HEADS = 4
LEARNING_RATE = 2e-3
VALIDATION_WINDOWS = 512
RESUMED_STEPS = 20

# %% [markdown]
# ## The text
#
# Every Python installation carries the text behind `help()`. Its topics repeat
# each other in part. Each paragraph is kept once, so that the last tenth, held
# out for validation, is not also trained on.

# %%
paragraphs = dict.fromkeys("\n\n".join(topics.topics.values()).split("\n\n"))
text = "\n\n".join(paragraphs)
characters, codes = np.unique(list(text), return_inverse=True)
training, held_out = np.split(codes, [len(codes) * 9 // 10])


def windows(codes, starts):
    """Returns stretches of the text and what follows each of their places."""
    stretches = codes[starts[:, None] + np.arange(LENGTH + 1)]
    return stretches[:, :-1], stretches[:, 1:]


def batches(seed):
    """Yields random training batches, the same ones for the same seed."""
    random = np.random.default_rng(seed)
    while True:
        starts = random.integers(len(training) - LENGTH, size=BATCH_SIZE)
        yield windows(training, starts)


validation = windows(held_out, np.arange(VALIDATION_WINDOWS) * LENGTH)
print(f"{len(training):,} characters to train on, {len(characters)} different")

# %% [markdown]
# Whoever knows how often each character occurs, but not what stands before it,
# has the entropy of single characters as the lowest possible loss. Here it is
# for the very characters that validation asks for, in nats.

# %%
counts = np.bincount(validation[1].ravel())
frequencies = counts[counts > 0] / counts.sum()
unigram = -float(np.sum(frequencies * np.log(frequencies)))
print(f"unigram entropy: {unigram:.3f}")

# %% [markdown]
# ## The model
#
# One Transformer block: attention to the characters so far, then a small
# network at each place, both with layer normalization before them and a
# shortcut around them. The seed makes all models start from the same weights.


# %%
def build_model():
    """Returns a Transformer that predicts the next character at each place."""
    keras.utils.set_random_seed(SEED)
    layers = keras.layers
    tokens = keras.Input((LENGTH,), dtype="int32")
    places = keras.ops.cumsum(keras.ops.ones_like(tokens), axis=1) - 1
    x = layers.Embedding(len(characters), WIDTH)(tokens)
    x = x + layers.Embedding(LENGTH, WIDTH)(places)
    y = layers.LayerNormalization()(x)
    attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    x = x + attention(y, y, use_causal_mask=True)
    y = layers.LayerNormalization()(x)
    y = layers.Dense(4 * WIDTH, activation="gelu")(y)
    x = x + layers.Dense(WIDTH)(y)
    x = layers.LayerNormalization()(x)
    return keras.Model(tokens, layers.Dense(len(characters))(x))


print(f"{build_model().count_params():,} parameters")

# %% [markdown]
# ## Training
#
# ACClip goes where Adam goes. `monitor=True` makes it count what it clips; that
# costs a pass over the gradients and can be left out.

# %%
optimizers = {
    "Adam": keras.optimizers.Adam(LEARNING_RATE),
    "ACClip": ACClip(LEARNING_RATE, monitor=True),
}
models, losses = {}, {}
for name, optimizer in optimizers.items():
    models[name] = build_model()
    models[name].compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    history = models[name].fit(
        batches(SEED),
        steps_per_epoch=STEPS_PER_EPOCH,
        epochs=EPOCHS,
        validation_data=validation,
        validation_batch_size=BATCH_SIZE,
        shuffle=False,
        verbose=0,
    )
    losses[name] = history.history["val_loss"]

final = {name: curve[-1] for name, curve in losses.items()}
print(json.dumps({"unigram": unigram, **final}))

# %%
figure, axes = plt.subplots()
steps = STEPS_PER_EPOCH * np.arange(1, EPOCHS + 1)
for name, curve in losses.items():
    axes.plot(steps, curve, marker=".", label=name)
axes.axhline(unigram, color="gray", linestyle="--", label="unigram entropy")
axes.set_xlabel("step")
axes.set_ylabel("validation loss, nats per character")
axes.legend()
plt.show()

# %% [markdown]
# This is one seed, one tiny model and an untuned learning rate. It shows that
# both optimizers train, not which of them is better.
#
# `clip_fraction` is the share of the coordinates that ACClip clipped in the
# last step, those whose momentum was above its threshold. `gradient_norm` and
# `skipped_steps` are kept up in the same way.

# %%
clip_fraction = float(optimizers["ACClip"].clip_fraction)
print(f"{clip_fraction:.1%} of the coordinates were clipped in the last step")

# %% [markdown]
# ## Saving and resuming
#
# A saved model holds the optimizer's state too. The loaded one resumes as if
# nothing had happened: after the same further batches its weights are those of
# the model that was never interrupted. On a CPU they are equal to the last bit.
# A GPU may add numbers up in another order each time, so there they may differ
# by a fraction of a step.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "model.keras"
    models["ACClip"].save(path)
    models["resumed"] = keras.models.load_model(path)

for name in ("ACClip", "resumed"):
    models[name].fit(
        batches(SEED + 1),
        steps_per_epoch=RESUMED_STEPS,
        shuffle=False,
        verbose=0,
    )

on_cpu = devices[0].startswith("cpu")
for uninterrupted, resumed in zip(
    models["ACClip"].get_weights(),
    models["resumed"].get_weights(),
    strict=True,
):
    np.testing.assert_allclose(
        resumed, uninterrupted, rtol=0, atol=0 if on_cpu else LEARNING_RATE / 2
    )
print("The resumed model has the weights of the uninterrupted one.")
