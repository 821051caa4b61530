"""Files of weights that cannot be used, in the directory of --pretrained."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import finetune_squad
from tests.support import hugging_face
from tests.support.hugging_face import POINTER
from tests.support.hugging_face import change_json
from tests.support.hugging_face import problem_in
from tests.support.hugging_face import save
from tests.support.hugging_face import write_json

WEIGHTS = "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"
KEY = "bert.encoder.layer.1.attention.self.key.weight"
TENSORS = {
    "missing": ({KEY: None}, f"; {KEY} is missing"),
    "narrow": (
        {KEY: np.zeros((16, 8), np.float32)},
        f"; {KEY} has the shape (16, 8), not (16, 16)",
    ),
    "integers": (
        {KEY: np.zeros((16, 16), np.int8)},
        f"must hold floating-point weights; {KEY} is I8",
    ),
    "head": (
        {"qa_outputs.bias": np.zeros(3, np.float32)},
        "; qa_outputs.bias has the shape (3,), not (2,)",
    ),
}
DAMAGES = {
    "half": lambda whole: whole[: len(whole) // 2],
    "start": lambda whole: whole[:4],
    "more": lambda whole: whole + b"\0",
    "empty": lambda whole: b"",
    "pointer": lambda whole: POINTER.encode(),
}
NO_MAP = f"; {INDEX} cannot be used: it has no `weight_map`"
INDICES = [
    *(
        ({"weight_map": {KEY: file}}, f"it names the file {str(file)!r}")
        for file in (
            *("../x.safetensors", "/x.safetensors", "\ud800.safetensors"),
            *("a\0.safetensors", "config.json", "..", "", None),
        )
    ),
    ({"weight_map": {KEY: "a.safetensors"}}, "; a.safetensors cannot be used"),
    ({"weight_map": {}}, NO_MAP),
    ({"weight_map": [KEY]}, NO_MAP),
    ({"metadata": {}}, NO_MAP),
    ([], NO_MAP),
]


class Dangerous:
    """Makes a file where its pickle is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def tensors(tmp_path):
    """Weights of the BERT in `tmp_path / "bert"`."""
    return hugging_face.write(tmp_path / "bert")


@pytest.fixture
def bert(tmp_path, tensors):
    """Directory of a BERT without weights."""
    (tmp_path / "bert" / WEIGHTS).unlink()
    return tmp_path / "bert"


@pytest.fixture
def data_dir(tmp_path):
    return hugging_face.write_data(tmp_path / "data")


@pytest.fixture
def refusal(complain, bert, data_dir):
    """Returns why a script does not start from the directory."""

    def refusal():
        options = ["--data_dir", data_dir, "--pretrained", bert]
        return problem_in(complain(finetune_squad, *options), bert)

    return refusal


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize(("changes", "problem"), TENSORS.values(), ids=TENSORS)
def test_tensors_that_are_not_the_models(
    bert, tensors, refusal, shards, changes, problem
):
    tensors |= changes
    save(bert, {k: v for k, v in tensors.items() if v is not None}, shards)
    assert problem in refusal()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("shards", [1, 2])
def test_files_that_are_not_whole(bert, tensors, refusal, shards, damage):
    save(bert, tensors, shards)
    path = max(bert.glob("*.safetensors"))
    path.write_bytes(damage(path.read_bytes()))
    message = refusal()
    assert f"must hold whole safetensors files; {path.name} cannot" in message
    assert message.endswith("Is it downloaded completely?")


@pytest.mark.parametrize(
    ("index", "problem"), INDICES, ids=[ascii(index) for index, _ in INDICES]
)
def test_an_index_that_names_no_files(bert, refusal, index, problem):
    write_json(bert / INDEX, index)
    assert problem in refusal()


def test_an_index_that_names_a_file_outside_the_directory(
    bert, tensors, refusal, tmp_path
):
    save(tmp_path, tensors)
    for file in (f"../{WEIGHTS}", str(tmp_path / WEIGHTS)):
        places = dict.fromkeys(tensors, file)
        write_json(bert / INDEX, {"weight_map": places})
        assert f"it names the file {file!r}" in refusal()


def test_an_index_that_names_what_its_shard_lacks(bert, tensors, refusal):
    save(bert, tensors, shards=2)
    places = json.loads((bert / INDEX).read_text())["weight_map"]
    file = places[KEY]
    change_json(bert / INDEX, weight_map={**places, "qa_outputs.bias": file})
    assert f"{file} cannot be used: it lacks qa_outputs.bias" in refusal()


def test_an_index_that_leaves_out_a_tensor(bert, tensors, refusal):
    save(bert, tensors, shards=2)
    places = json.loads((bert / INDEX).read_text())["weight_map"]
    del places[KEY]
    change_json(bert / INDEX, weight_map=places)
    assert f"; {KEY} is missing" in refusal()


def test_no_weights_at_all(refusal):
    assert refusal().endswith(f"{WEIGHTS} or {INDEX}; there is neither.")


def test_a_pickle_is_never_loaded(bert, refusal, tmp_path):
    trace = tmp_path / "trace"
    pickled = pickle.dumps(Dangerous(trace))
    (bert / "pytorch_model.bin").write_bytes(pickled)
    assert f"must hold {WEIGHTS}; pytorch_model.bin is a pickle, " in refusal()
    # Under the name of a file that is read, too.
    (bert / WEIGHTS).write_bytes(pickled)
    assert "must hold whole safetensors files" in refusal()
    assert not trace.exists()
    pickle.loads(pickled)
    assert trace.exists()


def test_weights_are_checked_before_tensorflow_is_imported(bert, data_dir):
    program = """
import sys
import command_line, finetune_squad
try:
    command_line.main(finetune_squad.parser(), finetune_squad.run)
except SystemExit as stop:
    assert stop.code == 2
    assert not {"tensorflow", "keras", "official"} & set(sys.modules)
"""
    save(bert, {"bert.pooler.dense.bias": np.zeros(16, np.float32)})
    done = subprocess.run(
        [sys.executable, "-c", program, "--data_dir", data_dir]
        + ["--model_dir", data_dir / "run", "--pretrained", bert],
        cwd=Path(finetune_squad.__file__).parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(
        f"output.dense.bias is missing. Received: --pretrained={bert}\n"
    )
