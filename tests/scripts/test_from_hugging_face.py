"""Training that starts from a Hugging Face BERT, in a step or none."""

import json

import numpy as np
import pytest
import tensorflow as tf
import yaml

import answer
import finetune_glue
import finetune_squad
import prepare_glue_data
import prepare_pretraining_data
import prepare_squad_data
import pretrain_bert
from bert import training
from command_line import InputError
from tests.support import hugging_face
from tests.support import tiny
from tests.support.hugging_face import PRETRAINING
from tests.support.hugging_face import VOCABULARY
from tests.support.tiny import call

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
    pytest.mark.filterwarnings("ignore:Input dict contained keys"),
]

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
# The learning rate of the first step is this one, of the second zero.
ONE_STEP = (
    "trainer: {optimizer_config: {warmup: {type: null}, learning_rate: "
    "{polynomial: {initial_learning_rate: 0.01, decay_steps: 1}}}}"
)
TABLE = "bert.embeddings.word_embeddings.weight"
SENTENCES = "x\t1\t\tThe cat sat.\nx\t0\t*\tDog ran to.\n"


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """Directory of a BERT for pretraining, and its weights."""
    directory = tmp_path_factory.mktemp("from") / "bert"
    return directory, hugging_face.write(directory, heads=PRETRAINING)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, folder, bert):
    """Directories of data that each script has prepared for the BERT."""
    squad, cola = folder / "squad.json", folder / "from.tsv"
    cola.write_text(SENTENCES)
    commands = {
        prepare_squad_data: [
            *("--train", squad, "--dev", squad),
            *("--max_query_length", 12, "--doc_stride", 8),
        ],
        prepare_glue_data: ["--task", "cola", "--train", cola, "--dev", cola],
        prepare_pretraining_data: [
            *("--input", folder / "text.txt", "--max_predictions_per_seq", 4),
            *("--heldout_every", 5, "--dupe_factor", 1),
        ],
    }
    made = tmp_path_factory.mktemp("prepared")
    for script, options in commands.items():
        call(
            script,
            *(*options, "--pretrained", bert[0], "--max_seq_length", 32),
            *("--output_dir", made / script.__name__),
        )
    return {script: made / script.__name__ for script in commands}


@pytest.fixture(scope="module")
def asked(bert, prepared):
    """Options of a run on questions, all but its directory."""
    data_dir = prepared[prepare_squad_data]
    return ["--data_dir", data_dir, "--pretrained", bert[0]]


@pytest.fixture(scope="module")
def started(asked, tmp_path_factory):
    """Directory of a run on questions, without a configuration or a step."""
    run = tmp_path_factory.mktemp("started") / "run"
    call(finetune_squad, *(*asked, "--model_dir", run, "--train_steps", 0))
    return run


@pytest.fixture(scope="module")
def continued(bert, prepared, tmp_path_factory):
    """Directory of a run that continues the pretraining, without a step."""
    run = tmp_path_factory.mktemp("continued") / "run"
    call(
        pretrain_bert,
        *("--data_dir", prepared[prepare_pretraining_data]),
        *("--pretrained", bert[0], "--model_dir", run, "--train_steps", 0),
    )
    return run


def checkpoint(run, part=""):
    """Returns the values in the newest checkpoint, or in a part of it."""
    reader = tf.train.load_checkpoint(str(run))
    found = {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith(part) and name.endswith(VALUE)
    }
    assert found
    return found


def same(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


def kept(run, weights):
    """Returns the names of those weights that are in a checkpoint."""
    return hugging_face.found_in(checkpoint(run).values(), weights)


def names(weights, *starts):
    """Returns the names that start so; without a start, all of them."""
    return {name for name in weights if name.startswith(starts or "")}


def parameters(run):
    return yaml.full_load((run / "params.yaml").read_text())["task"]


def test_data_have_the_models_vocabulary_and_casing(bert, prepared):
    pieces = (bert[0] / "vocab.txt").read_bytes()
    for data in prepared.values():
        assert (data / "vocab.txt").read_bytes() == pieces
        assert json.loads((data / "sizes.json").read_text())["do_lower_case"]
        for example in tiny.examples(*data.glob("*.tfrecord")):
            assert VOCABULARY.index("[UNK]") not in example["input_ids"]


def test_data_of_a_cased_model_keep_upper_case(folder, prepared, tmp_path):
    hugging_face.write(tmp_path / "bert", tokenizer={"do_lower_case": False})
    for more in ([], ["--cased"]):
        output = tmp_path / f"cola{len(more)}"
        sizes = call(
            prepare_glue_data,
            *("--task", "cola", "--train", folder / "from.tsv"),
            *("--dev", folder / "from.tsv", "--output_dir", output),
            *("--pretrained", tmp_path / "bert", *more),
        )
        assert not sizes["do_lower_case"]
        first = tiny.examples(output / "train.tfrecord")[0]["input_ids"]
        pieces = [VOCABULARY[index] for index in first[:6]]
        assert pieces == ["[CLS]", "[UNK]", "cat", "sat", ".", "[SEP]"]


def test_finetuning_starts_from_its_encoder_without_a_configuration(
    bert, started
):
    directory, weights = bert
    assert kept(started, weights) == names(weights, "bert.")
    assert parameters(started)["init_checkpoint"] == str(directory)


def test_a_run_has_the_vocabulary_and_the_casing_of_its_data(bert, started):
    pieces = (bert[0] / "vocab.txt").read_text()
    assert (started / "vocab.txt").read_text() == pieces
    casing = json.loads((started / "tokenizer_config.json").read_text())
    assert casing == {"do_lower_case": True}


def test_a_question_is_answered_with_the_restored_model(started):
    given = call(
        answer,
        *("--model_dir", started, "--checkpoint", "newest"),
        *("--paragraph", tiny.PARAGRAPH, "--question", "Where did it sit?"),
    )
    assert given and given in tiny.PARAGRAPH


def test_a_configuration_of_other_sizes_has_its_encoder_replaced(
    folder, bert, asked, tmp_path, capsys
):
    directory, weights = bert
    run, more = tmp_path / "run", tmp_path / "more.yaml"
    more.write_text(
        "task: {model: {encoder: {bert: {embedding_size: 8, norm_first: true,"
        " initializer_range: 0.3}}}}"
    )
    call(
        finetune_squad,
        *(*asked, "--model_dir", run, "--train_steps", 0),
        *("--config", folder / "tiny.yaml", folder / "finetuning.yaml", more),
        *("--params_override", "task.model.encoder.bert.dropout_rate=0.5"),
    )
    assert kept(run, weights) == names(weights, "bert.")
    (line,) = [
        line for line in tiny.said(capsys) if line.startswith("taking the enc")
    ]
    assert line == (
        f"taking the encoder of {directory}: 2 layers, hidden size 16, 32 "
        "pieces, not the configuration's num_layers=1, "
        "max_position_embeddings=32, embedding_size=8, norm_first=True"
    )
    encoder = parameters(run)["model"]["encoder"]["bert"]
    assert encoder["num_layers"] == 2 and not encoder["norm_first"]
    # What has no weights is as it is configured.
    assert encoder["initializer_range"] == 0.3
    assert encoder["attention_dropout_rate"] == 0.0
    assert encoder["dropout_rate"] == 0.5


@pytest.mark.parametrize(
    ("setting", "value", "theirs"),
    [
        ("num_layers", 1, 2),
        ("max_position_embeddings", 32, 64),
        ("hidden_activation", "relu", "keras_clip>gelu"),
        ("norm_first", True, False),
    ],
)
def test_an_override_of_its_encoder_is_refused(
    asked, tmp_path, setting, value, theirs
):
    override = f"task.model.encoder.bert.{setting}={str(value).lower()}"
    options = [*asked, "--model_dir", tmp_path / "run"]
    with pytest.raises(InputError) as error:
        call(finetune_squad, *options, "--params_override", override)
    assert str(error.value) == (
        f"`task.model.encoder.bert.{setting}` must be {theirs} as --pretrained "
        "has it; leave the encoder out and it is that. "
        f"Received: {setting}={value}"
    )
    assert not (tmp_path / "run").exists()


def test_a_stopped_run_resumes_with_the_same_command(
    bert, asked, tmp_path, monkeypatch, capsys
):
    run = tmp_path / "run"
    options = [*asked, "--model_dir", run, "--train_steps", 2]
    options += ["--params_override", ONE_STEP]

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # When a step is taken and saved.
        patch.setattr(training, "_write_history", stop)
        with pytest.raises(KeyboardInterrupt):
            call(finetune_squad, *options)
    assert TABLE not in kept(run, bert[1])
    saved = checkpoint(run, "encoder/")
    capsys.readouterr()
    call(finetune_squad, *options)
    lines = tiny.said(capsys)
    assert "resuming from step 1" in lines
    assert any(line.startswith("step 2/2") for line in lines)
    assert same(checkpoint(run, "encoder/"), saved)


def test_pretraining_continues_with_its_heads(bert, continued):
    _, weights = bert
    assert kept(continued, weights) == names(weights)


def test_what_has_continued_is_finetuned(asked, bert, continued, tmp_path):
    _, weights = bert
    call(
        finetune_squad,
        *(*asked, "--pretrained", continued, "--train_steps", 0),
        *("--model_dir", tmp_path / "run"),
    )
    encoder = names(weights, "bert.") - names(weights, "bert.pooler")
    assert kept(tmp_path / "run", weights) >= encoder
    (activation,) = {
        parameters(run)["model"]["encoder"]["bert"]["hidden_activation"]
        for run in (continued, tmp_path / "run")
    }
    assert activation == "keras_clip>gelu"


def test_pretraining_starts_from_another_run(data, pretrained, tmp_path):
    call(
        pretrain_bert,
        *("--data_dir", data, "--pretrained", pretrained),
        *("--model_dir", tmp_path / "run", "--train_steps", 0),
    )
    for part in ("encoder/", "masked_lm/"):
        started = checkpoint(tmp_path / "run", part)
        assert same(started, checkpoint(pretrained, part))


@pytest.mark.parametrize("pooler", [True, False])
def test_sentences_are_classified_with_its_pooler_if_there_is_one(
    prepared, tmp_path, capsys, pooler
):
    weights = hugging_face.write(tmp_path / "bert", pooler=pooler)
    call(
        finetune_glue,
        *("--data_dir", prepared[prepare_glue_data]),
        *("--pretrained", tmp_path / "bert", "--model_dir", tmp_path / "run"),
        *("--train_steps", 0),
    )
    lines = tiny.said(capsys)
    assert "heads with random weights: classes" in lines
    assert (
        "taking 0 steps of 16 examples with acclip, learning rate 3e-05, "
        "without --config"
    ) in lines
    assert parameters(tmp_path / "run")["model"]["use_encoder_pooler"] is pooler
    assert kept(tmp_path / "run", weights) == names(weights)
