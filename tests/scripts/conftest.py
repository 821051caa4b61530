"""Makes one tiny path from text to a finetuned model, once."""

import json
import shutil
import sys
from pathlib import Path

import pytest

import command_line
import finetune_glue
import finetune_squad
import prepare_glue_data
import prepare_pretraining_data
import prepare_squad_data
import pretrain_bert
from tests.support import tiny
from tests.support.forks import Forks


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Directory with a text, questions and configs."""
    folder = tmp_path_factory.mktemp("path")
    document = "\n".join([tiny.PARAGRAPH] * 6)
    (folder / "text.txt").write_text("\n\n".join([document] * 5))
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
    tiny.call(
        finetune_squad,
        *finetuning,
        *("--model_dir", folder / "squad", "--train_steps", 60),
        *("--params_override", tiny.every(20)),
    )
    return folder / "squad"


@pytest.fixture(scope="session")
def finetuned_glue(folder, glue_data):
    """Directory of a finetuning run on sentences."""
    tiny.call(
        finetune_glue,
        *("--data_dir", glue_data, "--config", folder / "tiny.yaml"),
        *("--model_dir", folder / "glue", "--train_steps", 1),
    )
    return folder / "glue"


@pytest.fixture
def changed(tmp_path):
    """Returns a copy of a run in whose parameters a text is another."""

    def changed(run, text, other):
        copy = shutil.copytree(run, tmp_path / "changed")
        params = (copy / "params.yaml").read_text()
        assert params.count(text) == 1
        (copy / "params.yaml").write_text(params.replace(text, other))
        return copy

    return changed


@pytest.fixture
def complain(monkeypatch, capsys, tmp_path):
    """Returns what a script complains of, without its name.

    Before it there is nothing but what the script says of its progress. Where
    the options do not say where to write, it is `tmp_path / "new"`.
    """

    def complain(script, *options, status=2):
        monkeypatch.setattr(sys, "argv", [script.__file__])
        parser = script.parser()
        for option in ("--model_dir", "--output_dir"):
            if option in parser.format_help():
                options = [option, tmp_path / "new", *options]
        sys.argv += map(str, options)
        capsys.readouterr()
        try:
            command_line.main(parser, script.run)
        except SystemExit as stop:
            assert stop.code == status
        else:
            raise tiny.Accepted
        output = capsys.readouterr()
        assert not output.out
        *progress, message = output.err.splitlines()
        assert all(map(tiny.PROGRESS.match, progress)), progress
        name = f"{Path(script.__file__).name}: error: "
        assert message.startswith(name)
        return message.removeprefix(name)

    return complain
