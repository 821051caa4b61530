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
Then learning rates are raised until clipping decides whether anything is
learned, the gradient noise is looked at, and training is saved, loaded and
resumed. All of it runs on a TPU, a GPU or a CPU, and needs no data from
elsewhere.

The next cell installs the package where it is missing. It looks for it without
importing it, which would start Keras before its backend is chosen.
"""

# %%
# An address for `git clone`, or a folder that is mounted, with the repository
# of this notebook. It may be empty where the notebook is opened in a clone.
REPOSITORY = ""
EXTRAS = "noise,tensorflow"

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def is_clone(folder):
    """Returns whether the package can be installed from a folder."""
    needed = ("setup.cfg", "keras_clip/version.py")
    return all((folder / name).is_file() for name in needed)


folders = [Path.cwd(), *Path.cwd().parents]
if REPOSITORY:
    folders = [Path(REPOSITORY).expanduser()]
    if not is_clone(folders[0]) and shutil.which("git"):
        folders = [Path("clone_of_" + re.sub(r"\W+", "_", REPOSITORY))]
        if not is_clone(folders[0]):
            shutil.rmtree(folders[0], ignore_errors=True)
            subprocess.run(
                ["git", "clone", "--depth=1", REPOSITORY, folders[0]]
            )
clones = [folder for folder in folders if is_clone(folder)]
specs = [importlib.util.find_spec(name) for name in ("keras", "keras_clip")]
# A folder of that name beside the notebook is found too, without an origin.
is_missing = any(spec is None or spec.origin is None for spec in specs)
if not clones and (REPOSITORY or is_missing):
    sys.exit(
        "REPOSITORY must be the address of the repository, which `git clone` "
        f"can reach, or a folder with it. Received: REPOSITORY={REPOSITORY!r}"
    )
if is_missing:
    # pip writes where it builds.
    with tempfile.TemporaryDirectory() as copy:
        for file in (*clones[0].glob("*"), *clones[0].glob("keras_clip/**/*")):
            if file.is_file():
                target = Path(copy) / file.relative_to(clones[0])
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", f"{copy}[{EXTRAS}]"],
            check=True,
        )

# %% [markdown]
# ## The device
#
# `KERAS_BACKEND` says what Keras runs on, if it is set. Otherwise it is JAX
# where JAX sees a TPU or a GPU, and else Keras' own choice, as a rule
# TensorFlow, which uses a GPU if it can, and may say here that it finds none.
# Where JAX has several devices, each computes a part of every batch.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "KERAS_BACKEND" not in os.environ and importlib.util.find_spec("jax"):
    try:
        import jax

        platform = jax.devices()[0].platform
    # Whatever it is, Keras may run on TensorFlow.
    except Exception as error:
        print("JAX cannot be used:", error)
    else:
        has_tensorflow = importlib.util.find_spec("tensorflow") is not None
        if platform in ("tpu", "gpu") or not has_tensorflow:
            os.environ["KERAS_BACKEND"] = "jax"

import json
import tempfile
from pydoc_data import topics

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

import keras_clip
from keras_clip import ACClip
from keras_clip import GClip
from keras_clip import callbacks
from keras_clip import noise

# `display` draws a figure only once pyplot has loaded its backend.
plt.switch_backend(plt.get_backend())

if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 12):
    sys.exit(f"Keras 3.12 or later is needed. Received: {keras.__version__}")
devices = ["its own choice of a device"]
if keras.backend.backend() in ("jax", "tensorflow"):
    devices = keras.distribution.list_devices()
if keras.backend.backend() == "jax" and len(devices) > 1:
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=devices)
    )
print(
    f"keras_clip {keras_clip.__version__}, Keras {keras.__version__} on "
    f"{keras.backend.backend()}, {', '.join(devices)}"
)

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
HIGH_RATES = {"Adam": (0.016, 0.064), "SGD": (0.3, 1.0)}
HIGH_RATE_EPOCHS = 4
NOISE_WINDOWS = 2_000
NOISE_SAMPLES = 300
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
# ACClip goes where Adam goes. The callback `ClipMonitor` reads how it clips,
# every ten steps here, and adds a mean to the line of each epoch.


# %%
def fit(optimizer, epochs=EPOCHS, verbose=0, callbacks=()):
    """Trains a model with an optimizer; returns it and its validation loss."""
    model = build_model()
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    history = model.fit(
        batches(SEED),
        steps_per_epoch=STEPS_PER_EPOCH,
        epochs=epochs,
        validation_data=validation,
        validation_batch_size=BATCH_SIZE,
        shuffle=False,
        verbose=verbose,
        callbacks=list(callbacks),
    )
    return model, history.history["val_loss"]


monitor = callbacks.ClipMonitor(interval=10)
losses = {}
print("Adam")
_, losses["Adam"] = fit(keras.optimizers.Adam(LEARNING_RATE), verbose=2)
print("\nACClip")
model, losses["ACClip"] = fit(
    ACClip(LEARNING_RATE), verbose=2, callbacks=[monitor]
)

# %%
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4))
steps = STEPS_PER_EPOCH * np.arange(1, EPOCHS + 1)
for name, curve in losses.items():
    left.plot(steps, curve, marker=".", label=name)
left.axhline(unigram, color="gray", linestyle="--", label="unigram entropy")
left.set_ylabel("validation loss, nats per character")
left.legend()
readings = monitor.readings
read_at = [reading["step"] for reading in readings]
middle.plot(read_at, [reading["gradient_norm"] for reading in readings])
middle.set_ylabel("norm of the gradient")
middle.set_ylim(0)
right.plot(read_at, [reading["clip_fraction"] for reading in readings])
right.set_ylabel("share of coordinates that ACClip clips")
right.set_ylim(0, 1)
for axes in (left, middle, right):
    axes.set_xlabel("step")
plt.show()

# %% [markdown]
# Both learn. This is one seed, one tiny model and an untuned learning rate: it
# does not say which optimizer is better. ACClip clips a coordinate where its
# momentum is above its threshold, which follows the size of its gradients.
#
# ## Where clipping decides
#
# Now learning rates that are too high: Adam against ACClip, and SGD with
# momentum against the same with the norm of the gradient clipped at 1.

# %%
pairs = {
    "Adam": (keras.optimizers.Adam, ACClip),
    "SGD": (
        lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
        lambda rate: GClip(rate, momentum=0.9),
    ),
}
print(f"validation loss; unigram entropy is {unigram:.2f}")
print(f"{'rate':>10} {'without':>10} {'clipped':>10}")
high = {}
for name, (without, clipped) in pairs.items():
    for rate in HIGH_RATES[name]:
        ends = [
            fit(optimizer(rate), epochs=HIGH_RATE_EPOCHS)[1][-1]
            for optimizer in (without, clipped)
        ]
        high[f"{name} {rate:g}"] = [
            end if np.isfinite(end) else None for end in ends
        ]
        print(f"{name:>4} {rate:>5g} {ends[0]:>10.2f} {ends[1]:>10.2f}")

# %% [markdown]
# At the larger rate SGD without clipping ends with NaN, and with it still
# learns. At the others too what is clipped ends lower. At 0.002, which suits
# both, there was little between Adam and ACClip: what clipping gives here is
# room for a rate that is too high.
#
# ## The gradient noise
#
# How far the gradients of mini-batches are from that of all data, at the
# weights that ACClip has found: is that noise heavy-tailed, and which threshold
# would clip one step in ten?

# %%
starts = np.random.default_rng(SEED).integers(
    len(training) - LENGTH, size=NOISE_WINDOWS
)
report = noise.report(
    noise.sample(
        model,
        *windows(training, starts),
        batch_size=BATCH_SIZE,
        num_samples=NOISE_SAMPLES,
        verbose=0,
    )
)
print(report)
display(noise.plot_report(report))

# %% [markdown]
# The last line is the one to copy. The notebook `gradient_noise` explains the
# report and its four panels. Here the noise is not heavy-tailed, as the report
# says: clipping guards against a rate that is too high and against a rare bad
# batch, and is not what makes Adam learn.
#
# What was found, for programs that read it:

# %%
final = {name: curve[-1] for name, curve in losses.items()}
print(
    json.dumps(
        {
            "unigram": unigram,
            **final,
            "high": high,
            "verdict": report.verdict,
        }
    )
)

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
    model.save(path)
    resumed = keras.models.load_model(path)

for trained in (model, resumed):
    trained.fit(
        batches(SEED + 1),
        steps_per_epoch=RESUMED_STEPS,
        shuffle=False,
        verbose=0,
    )

on_cpu = devices[0].startswith("cpu")
tolerance = 0 if on_cpu else LEARNING_RATE / 2
for weights, same in zip(
    model.get_weights(), resumed.get_weights(), strict=True
):
    np.testing.assert_allclose(same, weights, rtol=0, atol=tolerance)
print("The resumed model has the weights of the uninterrupted one.")
