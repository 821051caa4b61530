# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
"""
# Is my model's gradient noise heavy-tailed?

Each mini-batch gives another gradient. How far they lie from the mean, and how
often very far, says whether clipping is worth while and at which threshold.
This notebook measures it for two small models: one whose targets are
well-behaved, and one with a few targets that are far off. Both can be exchanged
for a model and data of yours.

All of it takes two minutes on a CPU and runs on a GPU or TPU too. The next cell
installs the package where it is missing.
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
# TensorFlow. A TPU is not needed here.

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

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

import keras_clip
from keras_clip import ClipAdam
from keras_clip import callbacks
from keras_clip import noise

# `display` draws a figure only once pyplot has loaded its backend.
plt.switch_backend(plt.get_backend())

if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 12):
    sys.exit(f"Keras 3.12 or later is needed. Received: {keras.__version__}")
devices = ["its own choice of a device"]
if keras.backend.backend() in ("jax", "tensorflow"):
    devices = keras.distribution.list_devices()
print(
    f"keras_clip {keras_clip.__version__}, Keras {keras.__version__} on "
    f"{keras.backend.backend()}, {', '.join(devices)}"
)

# %% [markdown]
# ## Two data sets
#
# Sixteen features and a linear target, with noise of two kinds: Gaussian, or of
# a law whose tail is a power, so that one target in a thousand is three hundred
# times as far off as half of them. For data of your own put arrays into `DATA`.

# %%
SEED = 0
EXAMPLES = 8_000
FEATURES = 16
BATCH_SIZE = 8
NUM_SAMPLES = 4_000

random = np.random.default_rng(SEED)
x = random.normal(size=(EXAMPLES, FEATURES)).astype("float32")
clean = x @ random.normal(size=(FEATURES, 1))
gaussian = random.normal(size=clean.shape)
heavy = random.pareto(1.3, clean.shape) * random.choice([-1, 1], clean.shape)
DATA = {
    "Gaussian": (x, (clean + gaussian).astype("float32")),
    "heavy-tailed": (x, (clean + heavy).astype("float32")),
}


def build_model(optimizer):
    """Returns a small network; put a model of yours here."""
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            keras.layers.Dense(32, activation="gelu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer=optimizer, loss="mse")
    return model


# %% [markdown]
# ## Sampling and reading the report
#
# First one epoch of training, for the gradients of an untrained model are no
# guide to later ones. Then `noise.sample` takes the gradients of four thousand
# mini-batches at fixed weights, of the size that the training has, and compares
# them with the gradient of all data. The model stays as it is.

# %%
reports = {}
for name, (inputs, targets) in DATA.items():
    model = build_model(keras.optimizers.Adam(1e-3))
    model.fit(inputs, targets, batch_size=BATCH_SIZE, verbose=0)
    samples = noise.sample(
        model,
        inputs,
        targets,
        batch_size=BATCH_SIZE,
        num_samples=NUM_SAMPLES,
        verbose=0,
    )
    reports[name] = noise.report(samples)
    print(f"--- {name}\n{reports[name]}\n")

# %% [markdown]
# How to read it:
#
# - **Verdict**: with a tail index below 2 the noise has no variance, and the
#   largest gradients rule the training.
# - **Thresholds**: the suggestions name their rule. A quantile of the norms is
#   what most people take.
# - The last line is code to copy.
#
# The four panels show the same: the histogram of the noise with two fits, the
# tail on logarithmic axes (a straight line is a power), Hill's estimate by the
# number of largest samples, and the variance as samples are added. In the
# second figure a few samples make jumps in it.

# %%
for name, report in reports.items():
    figure = noise.plot_report(report)
    figure.suptitle(name)
    display(figure)

# %% [markdown]
# ## Does clipping help here?
#
# The heavy-tailed data again, by Adam and by `ClipAdam` at the threshold of the
# report. `ClipMonitor` shows the norm of the gradient and the share of steps
# that are clipped. The error is the mean absolute one to the clean targets,
# which neither has seen.

# %%
EPOCHS = 5
LEARNING_RATE = 3e-3

inputs, targets = DATA["heavy-tailed"]
threshold = float(
    np.quantile(reports["heavy-tailed"].samples.gradient_norms, 0.9)
)
print(f"clipping one mini-batch in ten: clip_threshold={threshold:.3g}")
monitors, errors = {}, {}
for name, clip_threshold in {"Adam": None, "Adam, clipped": threshold}.items():
    monitors[name] = callbacks.ClipMonitor(interval=50)
    optimizer = ClipAdam(LEARNING_RATE, clip_threshold=clip_threshold)
    model = build_model(optimizer)
    model.fit(
        inputs,
        targets,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        callbacks=[monitors[name]],
        verbose=0,
    )
    predicted = model.predict(inputs, verbose=0)
    errors[name] = float(np.mean(np.abs(predicted - clean)))
    print(f"{name}: mean absolute error {errors[name]:.3f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
for name, monitor in monitors.items():
    steps = [reading["step"] for reading in monitor.readings]
    norms = [reading["gradient_norm"] for reading in monitor.readings]
    left.semilogy(steps, norms, ".", label=name, alpha=0.6)
readings = monitors["Adam, clipped"].readings
right.plot(
    [reading["step"] for reading in readings],
    [reading["clip_fraction"] for reading in readings],
)
left.axhline(threshold, color="gray", linestyle="--", label="threshold")
left.set_xlabel("step")
left.set_ylabel("norm of the gradient, before clipping")
left.legend()
right.set_xlabel("step")
right.set_ylabel("share of steps clipped")
right.set_ylim(0, 1)
plt.show()

verdicts = {name: report.verdict for name, report in reports.items()}
print(json.dumps({"verdicts": verdicts, "errors": errors}))

# %% [markdown]
# ## With a model of yours
#
# `noise.sample` takes any compiled model of Keras 3 or tf_keras, and data that
# `fit` takes. `callbacks.GradientNoise` makes such a report every few epochs.
# From a shell, `python -m keras_clip.noise model.keras data.npz --batch_size
# 32` does without code.
#
# `scripts/experiments/noise` of the repository has the noise of BERT and of a
# ResNet on real data.
