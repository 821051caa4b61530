"""A Hugging Face BERT computes here what it computes elsewhere."""

import numpy as np
import pytest
from official.core import exp_factory
from official.core import task_factory

import keras_clip.model_garden  # noqa: F401 registers the experiments
from bert import compatibility
from bert import hugging_face as reader
from bert import pretrained
from bert import restoring
from command_line import InputError
from tests.support import hugging_face
from tests.support.hugging_face import PRETRAINING
from tests.support.hugging_face import VOCABULARY
from tests.support.oracles.bert import BertOracle

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Input dict contained keys"),
]

RNG = np.random.default_rng(7)
SHAPE = (3, 20)
IDS = RNG.integers(len(VOCABULARY), size=SHAPE)
# Padding of several lengths, and a second sentence that starts in the middle.
MASK = (np.arange(SHAPE[1]) < [[20], [13], [4]]).astype(int)
SEGMENTS = np.broadcast_to(np.arange(SHAPE[1]) >= 9, SHAPE).astype(int)
INPUTS = {
    "input_word_ids": IDS,
    "input_mask": MASK,
    "input_type_ids": SEGMENTS,
}
POSITIONS = np.array([[1, 19], [0, 7], [3, 2]])
DISTINCT = ("gelu", "gelu_new", "relu", "silu")
SAME = {"gelu_pytorch_tanh": "gelu_new", "swish": "silu"}
EVERY_FORM = {
    "float32": {},
    "float16": {"dtype": "float16"},
    "bfloat16": {"dtype": "bfloat16"},
    "float64": {"dtype": "float64"},
    "shards": {"shards": 3},
    "bare": {"bare": True},
    "old norms": {"old_norms": True},
    "all": {"dtype": "float16", "shards": 2, "bare": True, "old_norms": True},
}


def built(experiment, directory):
    """Returns Model Garden's model of a task, with random weights."""
    params = exp_factory.get_exp_config(f"keras_clip/bert/{experiment}")
    settings = pretrained.settings(str(directory))
    params.override({"task": settings}, is_strict=True)
    encoder = settings["model"]["encoder"]["bert"]
    assert compatibility.fit_encoder(params, encoder) == {}
    pretrained.fit_heads(params, str(directory))
    model = task_factory.get_task(params.task).build_model()
    restoring.build_heads(model)
    return model


def loaded(directory):
    """Returns a model for answers that starts from a directory."""
    model = built("squad", directory)
    pretrained.load(model, str(directory))
    return model


def encoded(directory):
    """Returns the hidden states of the padded sequences, and the pooled."""
    outputs = loaded(directory).checkpoint_items["encoder"](INPUTS)
    return outputs["sequence_output"], outputs["pooled_output"]


def assert_close(actual, expected):
    actual = np.asarray(actual)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


def values(model, part):
    """Returns the weights of a part of a model, and asserts that it has any."""
    found = {
        variable.name: variable.numpy()
        for variable in model.weights
        if part in variable.name
    }
    assert found
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Directory of a BERT with all heads, and its weights."""
    directory = tmp_path_factory.mktemp("plain") / "bert"
    heads = (*PRETRAINING, "answer")
    return directory, hugging_face.write(directory, heads=heads)


@pytest.fixture(scope="module")
def shared(plain):
    return built("pretraining", plain[0])


@pytest.fixture
def model(shared):
    """Model for pretraining, with new random weights."""
    for variable in shared.weights:
        variable.assign(RNG.normal(size=variable.shape))
    return shared


def test_hidden_states_are_those_of_keras_hub_from_the_same_directory(tmp_path):
    import keras_hub

    # Its GELU is always the approximation with tanh, whatever the config says
    # (keras_hub/src/models/bert/bert_backbone.py, 0.32.0).
    hugging_face.write(tmp_path / "bert", hidden_act="gelu_new")
    backbone = keras_hub.models.BertBackbone.from_preset(str(tmp_path / "bert"))
    expected = backbone(
        {"token_ids": IDS, "padding_mask": MASK, "segment_ids": SEGMENTS}
    )
    for actual, name in zip(
        encoded(tmp_path / "bert"),
        ("sequence_output", "pooled_output"),
        strict=True,
    ):
        assert_close(actual, np.asarray(expected[name]))


@pytest.mark.parametrize("activation", DISTINCT)
def test_hidden_states_are_the_oracles_with_every_activation(
    tmp_path, activation
):
    weights = hugging_face.write(tmp_path / "bert", hidden_act=activation)
    oracle = BertOracle(weights, activation)
    expected = oracle.hidden_states(IDS, MASK, SEGMENTS)
    states, pooled = encoded(tmp_path / "bert")
    assert_close(states, expected)
    assert_close(pooled, oracle.pooled(expected))


def test_the_oracle_tells_the_activations_apart(plain):
    _, weights = plain
    states = [
        BertOracle(weights, activation).hidden_states(IDS, MASK, SEGMENTS)
        for activation in DISTINCT
    ]
    for number, one in enumerate(states):
        for other in states[:number]:
            assert np.max(np.abs(one - other)) > 1e-4


@pytest.mark.parametrize("heads", [1, 4])
def test_hidden_states_are_the_oracles_with_any_number_of_heads(
    tmp_path, heads
):
    weights = hugging_face.write(tmp_path / "bert", num_attention_heads=heads)
    oracle = BertOracle(weights, heads=heads)
    states, _ = encoded(tmp_path / "bert")
    assert_close(states, oracle.hidden_states(IDS, MASK, SEGMENTS))


@pytest.mark.parametrize("other", SAME)
def test_an_activation_may_have_another_name(tmp_path, other):
    settings = []
    for name in (other, SAME[other]):
        hugging_face.write(tmp_path / name, hidden_act=name)
        settings.append(pretrained.settings(str(tmp_path / name))["model"])
    assert settings[0] == settings[1]


@pytest.mark.parametrize("form", EVERY_FORM.values(), ids=EVERY_FORM)
def test_encoder_and_heads_are_loaded_from_every_form(tmp_path, model, form):
    heads = {"heads": PRETRAINING}
    weights = hugging_face.write(tmp_path / "bert", **heads, **form)
    pretrained.load(model, str(tmp_path / "bert"))
    outputs = model({**INPUTS, "masked_lm_positions": POSITIONS})
    oracle = BertOracle(weights)
    states = oracle.hidden_states(IDS, MASK, SEGMENTS)
    assert_close(outputs["sequence_output"], states)
    assert_close(outputs["mlm_logits"], oracle.masked_lm(states, POSITIONS))
    assert_close(outputs["next_sentence"], oracle.next_sentence(states))
    assert_close(outputs["pooled_output"], oracle.pooled(states))


def test_the_head_for_answers_is_loaded(plain):
    directory, weights = plain
    oracle = BertOracle(weights)
    expected = oracle.answer(oracle.hidden_states(IDS, MASK, SEGMENTS))
    actual = loaded(directory)(INPUTS)
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other)


@pytest.mark.parametrize(
    ("options", "part", "rest"),
    [
        (
            {"heads": PRETRAINING, "tie_word_embeddings": False},
            "cls/predictions",
            "next_sentence",
        ),
        (
            {"heads": PRETRAINING, "without": ["cls.predictions.bias"]},
            "cls/predictions",
            "next_sentence",
        ),
        (
            {"heads": PRETRAINING, "pooler": False},
            "next_sentence",
            "cls/predictions",
        ),
        ({"heads": ["masked_lm"]}, "next_sentence", "cls/predictions"),
        ({}, "cls/predictions", "word_embeddings"),
    ],
    ids=["not tied", "no bias", "no pooler", "no next sentence", "no heads"],
)
def test_a_head_that_is_not_whole_stays_as_it_was(
    tmp_path, model, options, part, rest
):
    hugging_face.write(tmp_path / "bert", **options)
    before, others = values(model, part), values(model, rest)
    pretrained.load(model, str(tmp_path / "bert"))
    for name, value in values(model, part).items():
        assert np.array_equal(value, before[name])
    for name, value in values(model, rest).items():
        assert not np.array_equal(value, others[name])


def test_settings_are_those_of_config_json(tmp_path):
    hugging_face.write(
        tmp_path / "bert",
        hidden_dropout_prob=0.3,
        attention_probs_dropout_prob=0,
        initializer_range=0.5,
        type_vocab_size=3,
        hidden_act="silu",
    )
    assert pretrained.settings(str(tmp_path / "bert")) == {
        "init_checkpoint": str(tmp_path / "bert"),
        "model": {
            "encoder": {
                "type": "bert",
                "bert": {
                    "vocab_size": len(VOCABULARY),
                    "hidden_size": 16,
                    "num_layers": 2,
                    "num_attention_heads": 2,
                    "intermediate_size": 32,
                    "max_position_embeddings": 64,
                    "type_vocab_size": 3,
                    "dropout_rate": 0.3,
                    "attention_dropout_rate": 0.0,
                    "initializer_range": 0.5,
                    "hidden_activation": "swish",
                    "embedding_size": None,
                    "output_range": None,
                    "norm_first": False,
                },
            }
        },
    }


@pytest.mark.parametrize(
    ("tokenizer", "more", "lower"),
    [
        ({"do_lower_case": True}, ["Cat"], True),
        ({"do_lower_case": False}, [], False),
        (None, [], True),
        (None, ["[unused0]", "[X]"], True),
        (None, ["Cat"], False),
        (None, ["##Ä"], False),
        ({"model_max_length": 512}, [], True),
        ({"model_max_length": 512}, ["Cat"], False),
        ([], ["Cat"], False),
    ],
)
def test_casing_is_the_tokenizers_or_that_of_the_vocabulary(
    tmp_path, tokenizer, more, lower
):
    vocabulary = [*VOCABULARY, *more]
    hugging_face.write(tmp_path / "bert", vocabulary, tokenizer=tokenizer)
    found = reader.read("--pretrained", str(tmp_path / "bert"))
    assert found.do_lower_case is lower


def test_weights_that_are_not_finite_are_named(tmp_path):
    tensors = hugging_face.write(tmp_path / "bert")
    name = "bert.encoder.layer.1.output.dense.bias"
    tensors[name][3] = np.nan
    hugging_face.save(tmp_path / "bert", tensors)
    with pytest.raises(InputError) as caught:
        loaded(tmp_path / "bert")
    assert str(caught.value) == (
        f"`--pretrained` must hold finite weights; those of {name} are not. "
        f"Received: --pretrained={tmp_path / 'bert'}"
    )
