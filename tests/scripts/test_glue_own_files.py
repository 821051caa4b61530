"""TSV and CSV of one's own: what is read, and what is refused."""

import gzip

import pytest

from bert import glue
from command_line import InputError

CORRELATION = "pearson_spearman_corr"
ONE, TWO = ["text"], ["title", "text"]
PLAIN = [("It rains.", "1"), ("It is dry.", "0")]
TSV = "text\ty\nIt rains.\t1\nIt is dry.\t0\n"
CSV = "text,y\nIt rains.,1\nIt is dry.,0\n"
MARK = "\ufeff"


def save(folder, name, text):
    path = folder / name
    opener = gzip.open if name.endswith(".gz") else open
    with opener(path, "wb") as file:
        file.write(text.encode())
    return str(path)


def read(path, sentences=ONE, metric="accuracy"):
    task = glue.own_task(path, sentences, "y", metric)
    return glue.read("--train", path, task)


def error(function, *arguments):
    with pytest.raises(InputError) as caught:
        function(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.tsv", TSV, PLAIN),
        ("a.csv", CSV, PLAIN),
        # Without a name that says so, a file has tabs.
        ("a.txt", TSV, PLAIN),
        ("a", TSV, PLAIN),
        ("csv", TSV, PLAIN),
        ("a.CSV", CSV, PLAIN),
        ("a.csv.gz", CSV, PLAIN),
        ("a.tsv.gz", TSV, PLAIN),
        ("a.tsv", TSV.replace("\n", "\r\n"), PLAIN),
        ("a.csv", CSV.replace("\n", "\r\n"), PLAIN),
        ("a.tsv", TSV.removesuffix("\n"), PLAIN),
        ("a.csv", CSV.removesuffix("\n"), PLAIN),
        ("a.csv", "\n" + CSV.replace("\n", "\n\n"), PLAIN),
        ("a.tsv", "y\tid\ttext\n1\t7\tIt rains.\n0\t8\tIt is dry.\n", PLAIN),
        ("a.csv", "y,id,text\n1,7,It rains.\n0,8,It is dry.\n", PLAIN),
        (
            "a.tsv",
            'text\ty\n"a"\t1\n"b, ""c\t0\n',
            [('"a"', "1"), ('"b, ""c', "0")],
        ),
        (
            "a.csv",
            'text,y\n"a, b",1\n"c\nd",0\n"say ""e""","1"\n5" f,0\n',
            [("a, b", "1"), ("c\nd", "0"), ('say "e"', "1"), ('5" f', "0")],
        ),
        (
            "a.csv",
            'text,y\r\n"a\r\nb",1\r\nc,0\r\n',
            [("a\nb", "1"), ("c", "0")],
        ),
        ("a.csv", "text,y\na\tb,1\n c ,0\n", [("a\tb", "1"), (" c ", "0")]),
        ("a.csv", 'text,y\n"",1\n甲虫,0\n', [("", "1"), ("甲虫", "0")]),
    ],
)
def test_a_line_gives_its_sentence_and_its_label(
    tmp_path, name, text, expected
):
    assert read(save(tmp_path, name, text)) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", TSV),
        ("a.csv", CSV),
        ("a.csv", CSV.replace("text,y", '"text","y"')),
        ("a.csv", '"te, xt","text","y"\n7,a,1\n8,b,0\n'),
        ("a.csv", '"te\nxt","text","y"\n7,a,1\n8,b,0\n'),
        ("a.csv", "\n" + CSV),
    ],
)
def test_a_file_may_begin_with_the_mark_of_an_editor(tmp_path, name, text):
    path = save(tmp_path, name, text)
    marked = save(tmp_path, f"marked_{name}", MARK + text)
    assert read(marked) == read(path)


@pytest.mark.parametrize("sentences", [TWO, TWO[::-1], ONE, ["title"]])
def test_sentences_come_in_the_order_in_which_they_are_named(
    tmp_path, sentences
):
    row = {"y": "1", "text": "It rains.", "title": "Weather"}
    other = {"y": "0", "text": "It runs.", "title": "Dogs"}
    lines = ["\t".join(line) for line in (row, row.values(), other.values())]
    path = save(tmp_path, "a.tsv", "\n".join(lines))
    assert read(path, sentences) == [
        (*(line[name] for name in sentences), line["y"])
        for line in (row, other)
    ]


def test_every_file_may_have_its_columns_in_an_order_of_its_own(tmp_path):
    train = save(tmp_path, "train.csv", "title,text,y\na,b,1\nc,d,0\n")
    dev = save(tmp_path, "dev.tsv", "y\tmore\ttext\ttitle\n0\te\tf\tg\n")
    task = glue.own_task(train, TWO, "y", "accuracy")
    assert glue.read("--train", train, task) == [
        ("a", "b", "1"),
        ("c", "d", "0"),
    ]
    assert glue.read("--dev", dev, task) == [("g", "f", "0")]


@pytest.mark.parametrize(
    ("labels", "metric", "classes"),
    [
        ("no yes no", "accuracy", ("no", "yes")),
        ("yes no no", "f1", ("no", "yes")),
        ("1 0 1", "matthews_corrcoef", ("0", "1")),
        ("wet red cold", "accuracy", ("cold", "red", "wet")),
        ("2 10 1 2 3", "accuracy", ("1", "10", "2", "3")),
        ("5 1.5 -3", CORRELATION, None),
    ],
)
def test_the_classes_are_the_labels_in_the_file_to_train_on_sorted(
    tmp_path, labels, metric, classes
):
    lines = [f"It is.,{label}" for label in labels.split()]
    path = save(tmp_path, "a.csv", "\n".join(["text,y", *lines]))
    task = glue.own_task(path, ONE, "y", metric)
    assert task.labels == classes
    assert task.metric == metric


def test_labels_of_a_correlation_are_numbers(tmp_path):
    numbers = {"5": 5.0, "1.5": 1.5, " -3 ": -3.0, "2e-1": 0.2, "+0": 0.0}
    lines = [f"It is.,{number}" for number in numbers]
    path = save(tmp_path, "a.csv", "\n".join(["text,y", *lines]))
    assert read(path, metric=CORRELATION) == [
        ("It is.", number) for number in numbers.values()
    ]


@pytest.mark.parametrize(
    ("name", "text", "start", "problem"),
    [
        ("a.tsv", "", "`--sentences`", "'title' is there 0 times"),
        ("a.csv", "", "`--sentences`", "'title' is there 0 times"),
        (
            "a.csv",
            "text,y\na,1\nb,0\n",
            "`--sentences`",
            "has once, text, y; 'title' is there 0 times",
        ),
        (
            "a.tsv",
            "title,text,y\na,b,1\n",
            "`--sentences`",
            "has once, title,text,y; 'title' is there 0 times",
        ),
        (
            "a.csv",
            "text,title,text,y\na,b,c,1\n",
            "`--sentences`",
            "'text' is there 2 times",
        ),
        ("a.csv", "title,text,Y\n", "`--label`", "'y' is there 0 times"),
        ("a.tsv", "y\ttitle\ttext\ty\n", "`--label`", "'y' is there 2 times"),
        (
            "a.csv",
            "title,text,y\na,b,1\n\na,b\n",
            "`--train`",
            "must have 3 columns, title, text, y; line 4 has 2 and begins with "
            "'a b'",
        ),
        ("a.csv", "title,text,y\na,b,1,\n", "`--train`", "line 2 has 4 and"),
        ("a.tsv", "title\ttext\ty\n\n", "`--train`", "line 2 has 1 and"),
        (
            "a.csv",
            'title,text,y\na,"b",1\nc,"d" e,0\n',
            "`--train`",
            "must be CSV; line 3: ",
        ),
        (
            "a.csv",
            'title,text,y\na,"b,1\nc,d,0\n',
            "`--train`",
            "must be CSV; line 3: unexpected end",
        ),
    ],
)
@pytest.mark.parametrize("metric", ["accuracy", CORRELATION])
def test_a_file_of_another_layout_is_an_error(
    tmp_path, name, text, start, problem, metric
):
    path = save(tmp_path, name, text)
    message = error(read, path, TWO, metric)
    assert message.startswith(f"{start} must ")
    assert problem in message
    assert message.endswith(f". Received: --train={path}")


def test_a_sentence_that_csv_cannot_hold_is_an_error(tmp_path):
    path = save(tmp_path, "a.csv", f"text,y\n{'a' * 200_000},1\n")
    message = error(read, path)
    assert message.startswith("`--train` must be CSV; line 2: field larger")
    assert message.endswith(f". Received: --train={path}")


@pytest.mark.parametrize(
    ("labels", "metric", "number", "has"),
    [
        ("", "accuracy", "or more", 0),
        ("yes yes", "accuracy", "or more", 1),
        ("", "f1", "for f1", 0),
        ("1 1", "f1", "for f1", 1),
        ("1 0 2", "f1", "for f1", 3),
        ("a b c d", "matthews_corrcoef", "for matthews_corrcoef", 4),
    ],
)
def test_labels_that_do_not_suit_the_metric_are_an_error(
    tmp_path, labels, metric, number, has
):
    lines = [f"It is.,{label}" for label in labels.split()]
    path = save(tmp_path, "a.csv", "\n".join(["text,y", *lines]))
    assert error(glue.own_task, path, ONE, "y", metric) == (
        f"`--label` must name a column of two labels {number}; it has {has}. "
        "Received: --label=y"
    )


@pytest.mark.parametrize(
    ("metric", "labels", "label", "expected"),
    [
        ("accuracy", "cold red wet", "dry", "cold or red or wet"),
        ("accuracy", "cold red wet", "", "cold or red or wet"),
        ("accuracy", "cold red wet", "Wet", "cold or red or wet"),
        ("f1", "0 1", "1.0", "0 or 1"),
        *(
            (CORRELATION, "0 1", label, "a number")
            for label in ("", "good", "nan", "inf", "-1e39", "1 2")
        ),
    ],
)
def test_a_label_that_was_not_trained_on_or_is_no_number_is_named(
    tmp_path, metric, labels, label, expected
):
    lines = ["text\ty", *(f"It is.\t{label}" for label in labels.split())]
    train = save(tmp_path, "train.tsv", "\n".join(lines))
    dev = save(tmp_path, "dev.tsv", "\n".join([*lines, f"a\t{label}"]))
    task = glue.own_task(train, ONE, "y", metric)
    assert error(glue.read, "--dev", dev, task) == (
        f"`--dev` must have {expected} in the column 'y'; line "
        f"{len(lines) + 1} has {label!r}. Received: --dev={dev}"
    )


def test_an_error_does_not_repeat_hundreds_of_labels(tmp_path):
    lines = [f"It is.,label {number}" for number in range(500)]
    path = save(tmp_path, "a.csv", "\n".join(["text,y", *lines]))
    task = glue.own_task(path, ONE, "y", "accuracy")
    dev = save(tmp_path, "dev.csv", "text,y\na,b\n")
    message = error(glue.read, "--dev", dev, task)
    assert "label 0 or label 1 or " in message
    assert len(message) < 500 + len(dev)


def test_a_file_of_numbers_without_examples_is_an_error(tmp_path):
    path = save(tmp_path, "a.csv", "text,y\n")
    message = error(read, path, ONE, CORRELATION)
    assert message.startswith("`--train` must hold examples")
    assert message.endswith(f". Received: --train={path}")


@pytest.mark.parametrize("sentences", [["y"], ["text", "text"], ["text", "y"]])
def test_columns_are_named_once(tmp_path, sentences):
    path = save(tmp_path, "a.tsv", TSV)
    assert error(read, path, sentences) == (
        "`--label` and --sentences must name different columns. "
        f"Received: --label=y, --sentences={' '.join(sentences)}"
    )


def test_an_example_without_a_label_is_named(tmp_path):
    path = save(tmp_path, "a.tsv", TSV + "It snows.\t\n")
    message = error(read, path)
    assert message.startswith("`--train` must have 0 or 1 in the column 'y'; ")
    assert "line 4 has ''" in message


def test_labels_differ_by_more_than_white_space(tmp_path):
    path = save(tmp_path, "a.csv", "text,y\na,yes\nb, no\nc,no\n")
    assert error(read, path) == (
        "`--label` must name a column of labels that differ by more than white "
        "space; there are ' no', 'no', 'yes'. Received: --label=y"
    )
