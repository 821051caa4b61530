# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
"""
# Pretraining BERT with ACClip, on a TPU, a GPU or a CPU

TF Model Garden pretrains a BERT on your text, with the optimizer chosen in
YAML. On a TPU that is BERT-base, on a GPU a small BERT and on a CPU a tiny one,
in two minutes, which shows the road and learns little.

Without a text of yours the documentation that every Python carries is taken,
and the tiny one on any device. The next cell installs the package where it is
missing, with Model Garden, about 3 GB: two to five minutes.
"""

# %%
# An address for `git clone`, or a folder that is mounted, with the repository
# of this notebook. It may be empty where the notebook is opened in a clone.
REPOSITORY = ""
EXTRAS = "model-garden,plots"

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
# TF Model Garden trains with TensorFlow and tf_keras. A TPU is used by
# `TPUStrategy`, GPUs by `MirroredStrategy`, and a CPU as it is. The sizes below
# go with what is found, unless `DEVICE` names another.
#
# A TPU needs TensorFlow's build for it, which is installed here with the libtpu
# that goes with it. JAX in the same environment may need another one: take a
# new runtime for the notebooks that use it.

# %%
import glob
import importlib.metadata
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# One process at a time has the TPU: the scripts, not this notebook.
os.environ["TPU_LOAD_LIBRARY"] = "0"

DEVICE = ""  # "TPU", "GPU" or "CPU", or empty for what there is
gpus = glob.glob("/dev/nvidia[0-9]*")
if not DEVICE and gpus:
    DEVICE = "GPU"
elif not DEVICE:
    # Google's number, for any device may be passed through by vfio.
    files = glob.glob("/sys/bus/pci/devices/*/vendor")
    is_google = any("0x1ae0" in Path(file).read_text() for file in files)
    is_tpu = is_google and glob.glob("/dev/vfio/[0-9]*")
    is_tpu = is_tpu or glob.glob("/dev/accel[0-9]*")
    DEVICE = "TPU" if is_tpu else "CPU"
if DEVICE == "TPU":
    # TensorFlow 2.20 aborts with libtpu 0.0.33 and later.
    build = f"tensorflow-tpu=={importlib.metadata.version('tensorflow')}"
    pip = [sys.executable, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, build, "libtpu==0.0.14"], check=True)

import keras_clip

# The scripts are in the repository, not in the package.
clones.append(Path(keras_clip.__file__).parents[1])
SCRIPTS = clones[0].resolve() / "scripts"
if not (SCRIPTS / "pretrain_bert.py").is_file():
    sys.exit(
        "REPOSITORY must be the address of the repository, or a folder with "
        f"its scripts. Received: REPOSITORY={REPOSITORY!r}"
    )
RUNTIME = {
    "TPU": "runtime.distribution_strategy=tpu,runtime.tpu=local",
    "GPU": "runtime.distribution_strategy=mirrored,"
    f"runtime.num_gpus={max(len(gpus), 1)}",
    "CPU": "runtime.distribution_strategy=one_device",
}[DEVICE]
print(
    f"keras_clip {keras_clip.__version__} on a {DEVICE}, Python "
    f"{sys.version.split()[0]}"
)


def script(name, *options):
    """Runs a script, shows its progress, and returns its result."""
    command = [sys.executable, SCRIPTS / f"{name}.py", *map(str, options)]
    print("$ python", *command[1:])
    environment = {**os.environ}
    del environment["TPU_LOAD_LIBRARY"]
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
    if process.returncode:
        sys.exit(f"{name}.py has stopped; its last line above says why")
    return json.loads(line)


# %% [markdown]
# ## What can be changed
#
# `TEXT` may be a pattern of files on a mounted drive, with a blank line after
# each document, compressed or not, 100 documents at least; see
# `prepare_pretraining_data.py --help`. Wikipedia comes by `--tfds` in place of
# `--input`.
#
# In Colab `from google.colab import drive; drive.mount("/content/drive")`
# mounts your Drive. Put `MODEL_DIR` there, and training resumes even if this
# machine is taken away. Another text needs another `DATA_DIR`, and whatever
# else is changed another `MODEL_DIR`.

# %%
TEXT = ""
DATA_DIR = "data/bert"
MODEL_DIR = "runs/bert"
WITH_TEXT = bool(TEXT)
SIZES = {
    "TPU": {
        "config": "bert_12.yaml",
        "vocab_size": 30_000,
        "length": 128,
        "predictions": 20,
        "steps": 100_000,
        "batch_size": 1024,
    },
    "GPU": {
        "config": "bert_small.yaml",
        "vocab_size": 16_000,
        "length": 128,
        "predictions": 20,
        "steps": 10_000,
        "batch_size": 256,
    },
    "CPU": {
        "config": "bert_tiny.yaml",
        "vocab_size": 2_000,
        "length": 64,
        "predictions": 10,
        "steps": 200,
        "batch_size": 32,
    },
}[DEVICE if WITH_TEXT else "CPU"]

# %% [markdown]
# ## The text
#
# A vocabulary is learned, words are masked, and sequences are written as
# TFRecords.

# %%
if not WITH_TEXT:
    sys.path.insert(0, str(SCRIPTS))
    from demo import corpus

    TEXT = "corpus.txt"
    Path(TEXT).write_text("\n\n".join(corpus.documents()), "utf-8")

sizes = script(
    "prepare_pretraining_data",
    *("--input", Path(TEXT).expanduser(), "--output_dir", DATA_DIR),
    *("--vocab_size", SIZES["vocab_size"]),
    *("--max_seq_length", SIZES["length"]),
    *("--max_predictions_per_seq", SIZES["predictions"]),
    *("--heldout_every", 100 if WITH_TEXT else 4),
)

# %% [markdown]
# ## The optimizer, in YAML
#
# Everything that Model Garden can configure may stand here. Any optimizer of
# the package goes in the place of `acclip`, and Model Garden's `adamw` too.

# %%
YAML = """
# Other sizes and schedules are in scripts/configs.
trainer:
  optimizer_config:
    optimizer: {type: acclip, acclip: {alpha: 1.0}}
    learning_rate:
      type: polynomial
      polynomial: {initial_learning_rate: 1.0e-3}
"""
Path("acclip.yaml").write_text(YAML)

# %% [markdown]
# ## Training
#
# A line for each loop: loss, speed, time left. After an interruption the same
# cell resumes from the newest checkpoint. On a TPU a whole loop of
# `steps_per_loop` steps is one program, compiled once, before the first line.

# %%
# On a TPU a second optimizer is hours more: add "Adam" to compare there too.
OPTIMIZERS = {"ACClip": [], "Adam": ["--optimizer", "adamw"]}
if DEVICE == "TPU" and WITH_TEXT:
    OPTIMIZERS.pop("Adam")
metrics = {}
for name, options in OPTIMIZERS.items():
    metrics[name] = script(
        "pretrain_bert",
        *("--data_dir", DATA_DIR, "--model_dir", f"{MODEL_DIR}_{name}"),
        *("--config", SCRIPTS / "configs" / SIZES["config"], "acclip.yaml"),
        *("--train_steps", SIZES["steps"], "--params_override"),
        f"{RUNTIME},task.train_data.global_batch_size={SIZES['batch_size']}",
        *options,
    )

# %% [markdown]
# ## What came of it
#
# Both are measured on the same held-out documents, at the same learning rate,
# which was tuned for neither: this is no contest. `tensorboard --logdir runs`
# shows the curves while it trains.

# %%
import matplotlib.pyplot as plt
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util


def curve(folder):
    """Returns the steps and the training losses of a run."""
    found = event_accumulator.EventAccumulator(
        folder, {event_accumulator.TENSORS: 0}
    )
    found.Reload()
    events = found.Tensors("training_loss")
    values = [
        float(tensor_util.make_ndarray(event.tensor_proto)) for event in events
    ]
    return [event.step for event in events], values


figure, axes = plt.subplots()
for name in metrics:
    axes.plot(*curve(f"{MODEL_DIR}_{name}/train"), label=name)
axes.set_xlabel("step")
axes.set_ylabel("training loss, masked words and next sentence")
axes.legend()
plt.show()
print(json.dumps(metrics))

# %% [markdown]
# ## From here
#
# `squad_finetuning_tpu` finetunes the result on questions: give it
# `runs/bert_ACClip`, from a Drive if it runs on another machine. It has learned
# no places beyond the length above, so finetune with no greater one.
# `scripts/README.md` has the same commands for a shell, and configs of
# BERT-large.
