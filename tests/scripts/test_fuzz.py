"""Whatever is given, a script gives a result or says in one line why not."""

import contextlib
import json
import random
import shutil

import pytest

import evaluate_squad
import finetune_glue
import finetune_squad
import predict_squad
import prepare_glue_data
import prepare_pretraining_data
import prepare_squad_data
import pretrain_bert
from tests.support.tiny import Accepted
from tests.support.tiny import call
from tests.support.tiny import dataset

pytestmark = pytest.mark.slow

# Zero-width, control and combining characters, blanks, what stands for an
# undecodable byte, half a surrogate pair, and some words.
CHARACTERS = "\u200b\u200d\0\x1b\ufffd\u0301 \t\u3000\u2028.?甲🙂aé"
ODD = [None, True, 3, -1, 1e99, "", "\0", "\u200b", "\ud800", [], {}, [{}]]


@pytest.fixture
def endure(complain):
    """Returns what checks that a script ends well or with one line."""

    def endure(script, *options):
        with contextlib.suppress(Accepted):
            complain(script, *options)

    return endure


def text(rng, most=12):
    return "".join(rng.choices(CHARACTERS, k=rng.randrange(most)))


def spoil(value, rng):
    """Puts something odd in a random place of parsed JSON."""
    while True:
        key = rng.choice(
            range(len(value)) if isinstance(value, list) else [*value]
        )
        inner = value[key]
        is_leaf = not isinstance(inner, list | dict) or not inner
        if is_leaf or rng.random() < 0.2:
            value[key] = rng.choice(ODD)
            return
        value = inner


def test_prepared_data_with_bytes_changed(
    endure, folder, data, squad_data, glue_data, tmp_path
):
    rng = random.Random(0)
    tiny = ["--config", folder / "tiny.yaml", "--train_steps", 1]
    scripts = {
        data: (pretrain_bert, [*tiny, "--config", folder / "pretraining.yaml"]),
        squad_data: (finetune_squad, tiny),
        glue_data: (finetune_glue, tiny),
    }
    for trial in range(12):
        source = rng.choice([*scripts])
        script, options = scripts[source]
        copy = shutil.copytree(source, tmp_path / f"{trial}")
        path = rng.choice(sorted(copy.iterdir()))
        content = bytearray(path.read_bytes())
        for _ in range(rng.randrange(1, 4)):
            start = rng.randrange(len(content))
            bytes_there = rng.randbytes(rng.randrange(9))
            content[start : start + rng.randrange(9)] = bytes_there
        path.write_bytes(content)
        run = tmp_path / f"{trial}_run"
        endure(script, "--data_dir", copy, "--model_dir", run, *options)


def test_questions_with_something_odd_in_their_place(endure, data, tmp_path):
    rng = random.Random(1)
    asked, answers = tmp_path / "asked.json", tmp_path / "answers.json"
    for trial in range(60):
        changed = dataset()
        spoil(changed, rng)
        asked.write_text(json.dumps(changed))
        answers.write_text(json.dumps({"cat": rng.choice(ODD)}))
        endure(
            prepare_squad_data,
            *("--train", asked, "--dev", asked, "--vocab", data / "vocab.txt"),
            *("--output_dir", tmp_path / f"{trial}"),
        )
        endure(evaluate_squad, "--dataset", asked, "--predictions", answers)


def test_texts_and_sentences_of_odd_characters(endure, data, tmp_path):
    rng = random.Random(2)
    path = tmp_path / "text.txt"
    prepare = ["--vocab", data / "vocab.txt", "--max_seq_length", 16]
    for trial in range(12):
        lines = [text(rng) for _ in range(rng.randrange(1, 9))]
        path.write_text("\n".join(lines), "utf-8")
        endure(
            prepare_pretraining_data,
            *("--input", path, *prepare, "--heldout_every", 2),
            *("--output_dir", tmp_path / f"text{trial}"),
        )
        rows = [f"x\t{rng.randrange(3)}\t\t{line}" for line in lines[:2]]
        path.write_text("\n".join(rows), "utf-8")
        endure(
            prepare_glue_data,
            *("--task", "cola", "--train", path, "--dev", path, *prepare),
            *("--output_dir", tmp_path / f"sentences{trial}"),
        )


def test_questions_about_odd_characters_all_get_an_answer(finetuned, tmp_path):
    rng = random.Random(3)
    contexts = [text(rng) for _ in range(40)]
    paragraphs = [
        {"context": c, "qas": [{"id": str(i), "question": text(rng) + "a"}]}
        for i, c in enumerate(contexts)
    ]
    asked, answers = tmp_path / "asked.json", tmp_path / "answers.json"
    asked.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    options = ["--model_dir", finetuned, "--input", asked, "--output", answers]
    call(predict_squad, *options)
    given = json.loads(answers.read_text())
    assert [*given] == [str(i) for i in range(40)]
    for i, context in enumerate(contexts):
        assert "".join(given[str(i)].split()) in "".join(context.split())
