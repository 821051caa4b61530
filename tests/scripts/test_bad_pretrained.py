"""Directories of --pretrained that cannot be used end in one line."""

import json

import pytest

import finetune_glue
import finetune_squad
import prepare_glue_data
import prepare_pretraining_data
import prepare_squad_data
import pretrain_bert
from tests.support import hugging_face
from tests.support import tiny
from tests.support.hugging_face import POINTER
from tests.support.hugging_face import VOCABULARY
from tests.support.hugging_face import change_json
from tests.support.hugging_face import problem_in
from tests.support.hugging_face import write_json
from tests.support.hugging_face import write_pieces

TRAINING = [finetune_glue, finetune_squad, pretrain_bert]
PREPARING = [prepare_glue_data, prepare_pretraining_data, prepare_squad_data]
ACTIVATIONS = "gelu, gelu_new, gelu_pytorch_tanh, relu, silu, swish"

SETTINGS = [
    ({"model_type": "roberta"}, "has the model_type 'bert', not 'roberta'"),
    ({"model_type": ...}, "has the model_type 'bert', not None"),
    ({"model_type": ["bert"]}, "has the model_type 'bert', not ['bert']"),
    ({"hidden_act": "tanh"}, f"is one of {ACTIVATIONS}, not 'tanh'"),
    ({"hidden_act": ["gelu"]}, f"is one of {ACTIVATIONS}, not ['gelu']"),
    (
        {"position_embedding_type": "relative_key"},
        "position_embedding_type is absolute, not 'relative_key'",
    ),
    ({"layer_norm_eps": 1e-5}, "layer_norm_eps is 1e-12, not 1e-05"),
    ({"is_decoder": True}, "is_decoder is False, not True"),
    ({"add_cross_attention": True}, "add_cross_attention is False, not True"),
    ({"num_attention_heads": 3}, "multiple of its 3 attention heads, not 16"),
    ({"type_vocab_size": 1}, "type_vocab_size is at least 2, not 1"),
    ({"hidden_size": "16"}, "a positive integer hidden_size, not '16'"),
    ({"hidden_size": 16.0}, "a positive integer hidden_size, not 16.0"),
    ({"num_hidden_layers": True}, "integer num_hidden_layers, not True"),
    ({"intermediate_size": -32}, "integer intermediate_size, not -32"),
    ({"num_attention_heads": 0}, "integer num_attention_heads, not 0"),
    ({"max_position_embeddings": ...}, "max_position_embeddings, not None"),
    ({"vocab_size": None}, "a positive integer vocab_size, not None"),
    ({"hidden_dropout_prob": 1}, "least 0 and less than 1, not 1"),
    ({"hidden_dropout_prob": "0.1"}, "least 0 and less than 1, not '0.1'"),
    ({"initializer_range": float("nan")}, "least 0 and less than 1, not nan"),
    # Other sizes than those of the weights.
    ({"num_hidden_layers": 3}, "layer.2.output.dense.bias is missing"),
    ({"num_hidden_layers": 1}, "the weights have more layers than 1"),
    ({"num_hidden_layers": 10**9}, ".output.dense.bias is missing"),
    ({"hidden_size": 32}, "has the shape (16,), not (32,)"),
    ({"max_position_embeddings": 32}, "has the shape (64, 16), not (32, 16)"),
]
NO_JSON = {
    "empty": ("", "must name a JSON file: "),
    "half": ('{"model_type": "bert"', "must name a JSON file: "),
    "twice": ('{"a": 1, "a": 2}', "a JSON file: 'a' is there twice"),
    "pointer": (POINTER, "must name a JSON file: "),
    "list": ("[]", "must hold a model's settings in config.json"),
    "null": ("null", "must hold a model's settings in config.json"),
}
PIECES = {
    "missing": ([], "must hold the model's vocabulary, vocab.txt"),
    "shorter": (VOCABULARY[:-1], "has 31 pieces, the model 32"),
    "longer": ([*VOCABULARY, "more"], "has 33 pieces, the model 32"),
    "no padding": (VOCABULARY[1:], "must hold the tokens [PAD], "),
    "twice": ([*VOCABULARY[:-1], "the"], "must hold each piece once; 'the' is"),
}


@pytest.fixture
def bert(tmp_path):
    """Directory of a BERT, to be damaged."""
    hugging_face.write(tmp_path / "bert")
    return tmp_path / "bert"


@pytest.fixture
def data_dir(tmp_path):
    return hugging_face.write_data(tmp_path / "data")


@pytest.fixture
def refusal(complain, data_dir):
    """Returns why a script does not start from a directory."""

    def refusal(directory, script=finetune_squad):
        options = ["--data_dir", data_dir, "--pretrained", directory]
        return problem_in(complain(script, *options), directory)

    return refusal


@pytest.fixture
def commands(tmp_path):
    """Options of the scripts that prepare data, all but the vocabulary's."""
    squad, cola = tmp_path / "squad.json", tmp_path / "cola.tsv"
    text = tmp_path / "text.txt"
    squad.write_text(json.dumps(tiny.dataset()))
    cola.write_text("x\t1\t\tThe cat sat.\n")
    text.write_text(tiny.PARAGRAPH)
    return {
        prepare_glue_data: ["--task", "cola", "--train", cola, "--dev", cola],
        prepare_pretraining_data: ["--input", text],
        prepare_squad_data: ["--train", squad, "--dev", squad],
    }


@pytest.fixture
def refusal_to_prepare(complain, commands):
    """Returns why a script does not prepare data for a directory."""

    def refusal(directory, script=prepare_squad_data):
        options = [*commands[script], "--pretrained", directory]
        return problem_in(complain(script, *options), directory)

    return refusal


@pytest.mark.parametrize(
    ("settings", "problem"), SETTINGS, ids=[str(given) for given, _ in SETTINGS]
)
def test_a_model_that_is_no_such_bert(bert, refusal, settings, problem):
    change_json(bert / "config.json", **settings)
    assert problem in refusal(bert)


def test_every_script_checks_the_model(bert, refusal, refusal_to_prepare):
    change_json(bert / "config.json", model_type="roberta")
    for script in TRAINING:
        assert "not 'roberta'" in refusal(bert, script)
    for script in PREPARING:
        assert "not 'roberta'" in refusal_to_prepare(bert, script)


@pytest.mark.parametrize(("text", "problem"), NO_JSON.values(), ids=NO_JSON)
def test_a_config_that_is_no_json_object(bert, refusal, text, problem):
    (bert / "config.json").write_text(text)
    assert problem in refusal(bert)


@pytest.mark.parametrize(("pieces", "problem"), PIECES.values(), ids=PIECES)
def test_a_vocabulary_that_is_not_the_models(
    bert, refusal, refusal_to_prepare, pieces, problem
):
    (bert / "vocab.txt").unlink()
    if pieces:
        write_pieces(bert, pieces)
    assert problem in refusal(bert)
    for script in PREPARING:
        assert problem in refusal_to_prepare(bert, script)


def test_a_casing_that_is_no_json(bert, refusal, refusal_to_prepare):
    (bert / "tokenizer_config.json").write_text("{")
    assert "must name a JSON file" in refusal(bert)
    assert "must name a JSON file" in refusal_to_prepare(bert)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"do_lower_case": True, "strip_accents": False},
            "whose strip_accents is True here, not False as in",
        ),
        (
            {"do_lower_case": False, "strip_accents": True},
            "whose strip_accents is False here, not True as in",
        ),
        (
            {"do_lower_case": True, "tokenize_chinese_chars": False},
            "whose tokenize_chinese_chars is True here, not False as in",
        ),
        ({"strip_accents": False}, "whose strip_accents is True here, not"),
        ({"do_basic_tokenize": False}, "do_basic_tokenize is True here, not"),
        (
            {"tokenizer_class": "BertJapaneseTokenizer"},
            "is BertTokenizer here, not 'BertJapaneseTokenizer' as in",
        ),
        ({"word_tokenizer_type": "mecab"}, "is basic here, not 'mecab' as in"),
    ],
    ids=str,
)
def test_a_tokenizer_that_is_not_berts(
    bert, refusal, refusal_to_prepare, settings, problem
):
    write_json(bert / "tokenizer_config.json", settings)
    assert problem in refusal(bert)
    assert problem in refusal_to_prepare(bert)


def test_a_directory_that_holds_no_model(refusal, refusal_to_prepare, tmp_path):
    (tmp_path / "empty").mkdir()
    for directory in ("none", tmp_path / "none", tmp_path / "empty", ""):
        for script in TRAINING:
            assert refusal(directory, script).endswith(
                "must be the directory of a training run, with params.yaml, or "
                "of a Hugging Face BERT, with config.json."
            )
        for script in PREPARING:
            assert refusal_to_prepare(directory, script).endswith(
                "the directory of a model with its vocabulary, vocab.txt."
            )


@pytest.mark.parametrize("script", TRAINING, ids=lambda s: s.__name__)
def test_a_run_in_the_directory_of_the_model(complain, bert, data_dir, script):
    before = sorted(path.name for path in bert.iterdir())
    options = ["--data_dir", data_dir, "--pretrained", bert]
    assert complain(script, *options, "--model_dir", f"{bert}/") == (
        "`--model_dir` must be another directory than --pretrained. "
        f"Received: --model_dir={bert}/"
    )
    assert sorted(path.name for path in bert.iterdir()) == before


OTHERS = {
    "other vocabulary": (
        lambda data, bert: write_pieces(
            data, [*VOCABULARY[:5], *VOCABULARY[:4:-1]]
        ),
        "with the vocabulary of --pretrained, {bert}/vocab.txt",
    ),
    "cased": (
        lambda data, bert: change_json(
            data / "sizes.json", do_lower_case=False
        ),
        "in lower case as --pretrained has it",
    ),
    "not cased": (
        lambda data, bert: write_json(
            bert / "tokenizer_config.json", {"do_lower_case": False}
        ),
        "with --cased as --pretrained has it",
    ),
}


@pytest.mark.parametrize(("change", "problem"), OTHERS.values(), ids=OTHERS)
def test_data_that_were_prepared_for_another_model(
    complain, bert, data_dir, change, problem
):
    change(data_dir, bert)
    for script in TRAINING:
        options = ["--data_dir", data_dir, "--pretrained", bert]
        assert complain(script, *options) == (
            f"`--data_dir` must be prepared {problem.format(bert=bert)}; "
            "--pretrained of the script that prepares it does that. "
            f"Received: --data_dir={data_dir}"
        )


@pytest.mark.parametrize("script", PREPARING, ids=lambda s: s.__name__)
def test_cased_data_for_a_model_in_lower_case(complain, commands, bert, script):
    options = [*commands[script], "--pretrained", bert, "--cased"]
    assert complain(script, *options) == (
        "`--cased` must not be given where --pretrained has lower case. "
        f"Received: --cased with --pretrained={bert}"
    )
