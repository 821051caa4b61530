"""Columns of sentences: which options name them, and which do not."""

import pytest

import prepare_glue_data
from bert import vocabulary

TRAIN = "topic,note,title,text\nwet,,cat,It is wet.\ncold,x,mat,It sat.\n"
DEV = "title,topic,text\ndog,wet,It ran.\n"


@pytest.fixture
def files(tmp_path):
    """Options that name the files."""
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "dev.csv").write_text(DEV)
    pieces = str(tmp_path / "vocab.txt")
    vocabulary.write(pieces, vocabulary.RESERVED_TOKENS)
    return {
        "--train": tmp_path / "train.csv",
        "--dev": tmp_path / "dev.csv",
        "--vocab": pieces,
    }


@pytest.fixture
def refusal(complain, files, tmp_path):
    """Returns what is said of options, before anything is written."""

    def refusal(*options):
        named = [word for option in files.items() for word in option]
        message = complain(prepare_glue_data, *options, *named)
        assert not (tmp_path / "new").exists()
        return message

    return refusal


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            ["--task", "cola", "--label", "topic"],
            "`--label` must be given with --sentences, not with --task. "
            "Received: --label=topic",
        ),
        (
            ["--task", "stsb", "--metric", "f1"],
            "`--metric` must be given with --sentences, not with --task. "
            "Received: --metric=f1",
        ),
        (
            ["--sentences", "title"],
            "`--label` must be given with --sentences. "
            "Received: --sentences=title",
        ),
        (
            ["--sentences", "title", "text", "more", "--label", "topic"],
            "`--sentences` must name one column or two. "
            "Received: --sentences=title text more",
        ),
        (
            ["--task", "cola", "--sentences", "title", "--label", "topic"],
            "argument --sentences: not allowed with argument --task",
        ),
        (
            ["--label", "topic"],
            "one of the arguments --task --sentences is required",
        ),
    ],
)
def test_a_task_of_glue_or_columns_of_ones_own_are_named(
    refusal, options, error
):
    assert refusal(*options) == error


@pytest.mark.parametrize(
    ("columns", "option", "received"),
    [
        (["--sentences", "body", "--label", "topic"], "--sentences", "--train"),
        (["--sentences", "text", "--label", "kind"], "--label", "--train"),
        # What only the file to train on has.
        (["--sentences", "note", "--label", "topic"], "--sentences", "--dev"),
    ],
)
def test_columns_that_a_file_lacks_are_an_error(
    refusal, files, columns, option, received
):
    message = refusal(*columns)
    assert message.startswith(f"`{option}` must name columns")
    assert message.endswith(f". Received: {received}={files[received]}")


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ([], "taking 2 classes: 'cold', 'wet'"),
        (["--metric", "f1"], "'cold', 'wet', and F1 is that of 'wet'"),
    ],
)
def test_the_classes_are_said(files, tmp_path, capsys, metric, said):
    columns = ["--sentences", "text", "--label", "topic", *metric]
    named = [str(word) for option in files.items() for word in option]
    output = ["--output_dir", str(tmp_path / "new")]
    line = prepare_glue_data.parser().parse_args([*columns, *named, *output])
    prepare_glue_data._task(line)
    assert capsys.readouterr().err.strip().endswith(said)
