"""Writes tiny data for every experiment."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from experiments.real_models.experiments import EXPERIMENTS
from tests.support import hugging_face
from tests.support import tiny

SENTENCES = ("The cat sat.", "Cat the sat.", "It is wet.", "Wet it is is.")
_TINY_BERT = {
    "num_layers": 1,
    "hidden_size": 64,
    "batch_size": 2,
    "steps": 3,
    "evaluated": 2,
}
# What makes an experiment tiny.
TINY = {
    "squad": {
        "questions": 2,
        "tuning_questions": 2,
        "length": 32,
        "question_length": 12,
        "stride": 8,
        "batch_size": 1,
        "epochs": 2,
    },
    **{
        experiment["name"]: {"length": 16, "batch_size": 4}
        for experiment in EXPERIMENTS
        if experiment["task"] == "sentences"
    },
    **{
        experiment["name"]: _TINY_BERT
        for experiment in EXPERIMENTS
        if experiment["name"].startswith("pretraining")
    },
    "language": {
        "num_layers": 1,
        "hidden_size": 8,
        "length": 8,
        "memory": 8,
        "batch_size": 2,
        "steps": 3,
        "evaluated": 4,
    },
    "images": {"batch_size": 4},
}


@pytest.fixture(scope="session")
def paths(tmp_path_factory, folder, data):
    """Paths of all sources by name."""
    here = tmp_path_factory.mktemp("real_models")
    hugging_face.write(
        here / "encoder",
        tokenizer={"do_lower_case": True},
        max_position_embeddings=64,
    )
    for name, lines in (("cola", _cola()), ("rte", _rte())):
        (here / name).mkdir()
        for part in ("train", "dev"):
            (here / name / f"{part}.tsv").write_text("\n".join(lines) + "\n")
    questions = tiny.dataset()
    paragraph = questions["data"][0]["paragraphs"][0]
    paragraph["qas"] = [
        {**question, "id": f"{question['id']}-{number}"}
        for number in range(3)
        for question in paragraph["qas"]
    ]
    (here / "squad.json").write_text(json.dumps(questions))
    _write_images(here / "images.zip")
    return {
        "encoder": str(here / "encoder"),
        "cola": str(here / "cola"),
        "rte": str(here / "rte"),
        "squad_train": str(here / "squad.json"),
        "squad_dev": str(here / "squad.json"),
        "text": str(data),
        "language": str(folder / "text.txt"),
        "images": str(here / "images.zip"),
    }


def _cola():
    return [
        f"x\t{1 - number % 2}\t\t{SENTENCES[number % 4]}"
        for number in range(36)
    ]


def _rte():
    header = "index\tsentence1\tsentence2\tlabel"
    labels = ("entailment", "not_entailment")
    return [header] + [
        f"{number}\t{SENTENCES[number % 4]}\tIt is.\t{labels[number % 2]}"
        for number in range(36)
    ]


def _write_images(path):
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        # As many as fill a mini-batch of the experiment.
        for part, images in (("train", 80), ("test", 20)):
            for number in range(images):
                pixels = rng.integers(0, 256, (32, 32, 3)).astype("uint8")
                file = io.BytesIO()
                Image.fromarray(pixels).save(file, "JPEG")
                name = f"{part}/class{number % 10}/{number}.jpg"
                archive.writestr(name, file.getvalue())
