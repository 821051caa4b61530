"""Makes one tiny path from text to a finetuned model, once."""

import json
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.forks import Forks


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Directory with a text, questions and configs."""
    folder = tmp_path_factory.mktemp("path")
    # Each document has a digit of its own after every word.
    documents = [
        "\n".join([tiny.PARAGRAPH.replace(" ", f" {digit} ")] * 6)
        for digit in range(5)
    ]
    (folder / "text.txt").write_text("\n\n".join(documents))
    (folder / "squad.json").write_text(json.dumps(tiny.dataset()))
    for name, text in tiny.CONFIGS.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="session")
def forks():
    """Starts scripts where Model Garden has been imported already."""
    return Forks(
        "keras_clip.model_garden",
        "official.core.train_lib",
        "official.nlp.data.data_loader_factory",
    )


@pytest.fixture(scope="session")
def data(folder):
    """Directory of prepared pretraining data."""
    import prepare_pretraining_data

    sizes = tiny.call(
        prepare_pretraining_data,
        *("--input", folder / "text.txt", "--output_dir", folder / "data"),
        *("--vocab_size", 60, "--max_seq_length", 32),
        *("--max_predictions_per_seq", 4, "--heldout_every", 5),
        *("--dupe_factor", 2),
    )
    assert sizes["train_examples"] > sizes["heldout_examples"] > 0
    return folder / "data"


@pytest.fixture(scope="session")
def pretraining(folder, data):
    """Options of a pretraining run, all but its directory and optimizer."""
    return [
        *("--data_dir", data),
        *("--config", folder / "tiny.yaml", folder / "pretraining.yaml"),
    ]


@pytest.fixture(scope="session")
def pretrained(folder, pretraining):
    """Directory of a pretraining run with ACClip."""
    import pretrain_bert

    model_dir = folder / "bert_acclip"
    tiny.call(
        pretrain_bert,
        *pretraining,
        *("--model_dir", model_dir, "--optimizer", "acclip"),
    )
    return model_dir


@pytest.fixture(scope="session")
def squad_data(folder, data):
    """Directory of prepared questions."""
    import prepare_squad_data

    tiny.call(
        prepare_squad_data,
        *("--train", folder / "squad.json", "--dev", folder / "squad.json"),
        *("--vocab", data / "vocab.txt", "--output_dir", folder / "asked"),
        *("--max_seq_length", 32, "--max_query_length", 12),
        *("--doc_stride", 8),
    )
    return folder / "asked"


@pytest.fixture(scope="session")
def glue_data(folder, data):
    """Directory of prepared sentences."""
    import prepare_glue_data

    path = folder / "few.tsv"
    path.write_text("x\t1\t\tThe cat sat.\nx\t0\t*\tDog ran to.\n" * 2)
    tiny.call(
        prepare_glue_data,
        *("--task", "cola", "--train", path, "--dev", path),
        *("--vocab", data / "vocab.txt", "--max_seq_length", 32),
        *("--output_dir", folder / "few"),
    )
    return folder / "few"


@pytest.fixture(scope="session")
def finetuning(folder, squad_data, pretrained):
    """Options of a finetuning run, all but its directory and steps."""
    return [
        *("--data_dir", squad_data, "--pretrained", pretrained),
        *("--config", folder / "tiny.yaml", folder / "finetuning.yaml"),
        *("--optimizer", "acclip"),
    ]


@pytest.fixture(scope="session")
def finetuned(folder, finetuning):
    """Directory of a finetuning run, long enough to learn the answers."""
    import finetune_squad

    tiny.call(
        finetune_squad,
        *finetuning,
        *("--model_dir", folder / "squad", "--train_steps", 60),
        *("--params_override", "trainer: {steps_per_loop: 20}"),
        *("--params_override", "trainer: {summary_interval: 20}"),
        *("--params_override", "trainer: {validation_interval: 20}"),
    )
    return folder / "squad"


@pytest.fixture(scope="session")
def finetuned_glue(folder, glue_data):
    """Directory of a finetuning run on sentences."""
    import finetune_glue

    tiny.call(
        finetune_glue,
        *("--data_dir", glue_data, "--config", folder / "tiny.yaml"),
        *("--model_dir", folder / "glue", "--train_steps", 1),
    )
    return folder / "glue"


@pytest.fixture
def complain(monkeypatch, capsys):
    """Returns what a script complains of, without its name."""

    def complain(script, *options, status=2):
        message = tiny.complaint(
            monkeypatch, capsys, script, *options, status=status
        )
        name = Path(script.__file__).name
        assert message.startswith(f"{name}: error: ")
        return message.removeprefix(f"{name}: error: ")

    return complain
