r"""Answers every question of a SQuAD file with a finetuned model.

Writes a JSON object from question id to answer, which evaluate_squad.py and
the official evaluation read. An answer is empty if the model finds none in its
paragraph, or none whose score is high enough, or if it was trained on
unanswerable questions and takes this one for such. Example:

    python scripts/predict_squad.py --model_dir runs/squad \
        --input dev-v1.1.json.zip --output predictions.json
"""

import argparse
import os
import string
import tempfile

import command_line
from bert import squad
from bert import texts
from command_line import files
from command_line import progress
from command_line.heartbeat import Heartbeat

EXPERIMENT = "keras_clip/bert/squad"


def load(model_dir: str, which: str):
    """Returns the task and the model of a finetuning run.

    Args:
        model_dir: Directory of the run.
        which: Checkpoint, `"best"` or `"newest"`.

    Returns:
        Tuple of the task and the model.

    Raises:
        InputError: If there is no such run or no checkpoint.
    """
    # These take ten seconds to import, and are imported once the command line
    # is parsed.
    progress.say("importing TensorFlow")
    from bert import restoring
    from bert import saved_parameters

    params = saved_parameters.read(EXPERIMENT, "--model_dir", model_dir)
    # That of the data may have been deleted.
    vocab = os.path.join(model_dir, "vocab.txt")
    params.task.validation_data.vocab_file = vocab
    progress.say("restoring the model")
    return restoring.restored_model(params, model_dir, which)


def predict(
    task, model, dataset: dict, min_score: float = 0.0
) -> dict[str, str]:
    """Returns the answers to the questions of a dataset.

    Args:
        task: Question answering task.
        model: Its model.
        dataset: Parsed SQuAD JSON; its answers are not used.
        min_score: Lowest score of an answer that is given.

    Returns:
        Dict from question id to answer, empty if there is none.
    """
    return {
        name: chosen(found, min_score)
        for name, found in candidates(task, model, dataset).items()
    }


def chosen(candidates: list[dict], min_score: float) -> str:
    """Returns the answer among candidates.

    Args:
        candidates: Candidates for one question, of `candidates`.
        min_score: Lowest score of an answer that is given.

    Returns:
        The text of the first one, empty if there is none or its score is lower.
    """
    if candidates and candidates[0]["score"] >= min_score:
        return candidates[0]["text"]
    return ""


def candidates(task, model, dataset: dict) -> dict[str, list[dict]]:
    """Returns the likeliest answers to the questions of a dataset.

    Args:
        task: Question answering task.
        model: Its model.
        dataset: Parsed SQuAD JSON; its answers are not used.

    Returns:
        Dict from question id to a list of dicts, each with a `text` and its
        `score`, its share among the candidates: from 0 to 1, the softmax of
        the sums of its start's and its end's logits. The first is the model's
        answer; the others follow by their scores. The list is empty if the
        model finds none.

        A model of unanswerable questions has the empty text among the
        candidates, with the logits of [CLS] in the window where their sum is
        lowest. It is the answer if that sum exceeds the one of the best other
        candidate by more than the task's `null_score_diff_threshold`, which is
        0 unless configured; then the answer has the highest score, as any other
        model's has.
    """
    asked = {
        question["id"]: (paragraph, question)
        for paragraph, question in squad.questions(dataset)
    }
    left = [pair for pair in asked.values() if not texts.is_blank(pair[0])]
    found = _found(task, model, left, "answering")
    left = [
        pair
        for pair in left
        if not any(one["text"] for one in found.get(pair[1]["id"], []))
    ]
    # Model Garden pairs the likeliest starts with the likeliest ends. A short
    # paragraph may contain none of these pairs; then all pairs are searched.
    data = task.task_config.validation_data
    sizes = {"n_best_size": data.seq_length}
    thorough = type(task)(task.task_config.replace(**sizes))
    again = _found(thorough, model, left, "answering with more candidates")
    for name, some in again.items():
        # The official evaluation ignores punctuation.
        found[name] = [
            one
            for one in some
            if one["text"].strip(string.punctuation)
            or (data.version_2_with_negative and not one["text"])
        ]
    return {name: found.get(name, []) for name in asked}


def _found(task, model, asked, what):
    """Returns the candidates that Model Garden finds, by question id."""
    if not asked:
        return {}
    from official.nlp.tasks import question_answering

    what = f"{what}: {len(asked):,} question{'s' * (len(asked) > 1)}"
    with tempfile.TemporaryDirectory() as directory, Heartbeat(what) as beat:
        path = os.path.join(directory, "questions.json")
        paragraphs = [{"context": p, "qas": [q]} for p, q in asked]
        files.write_json(path, {"data": [{"paragraphs": paragraphs}]})
        data = task.task_config.validation_data.replace(
            input_path=path,
            input_preprocessed_data_path=directory,
            drop_remainder=False,
        )
        answers, best, _ = question_answering.predict(
            _watched(task, beat), data, model
        )
    return {
        name: [
            {"text": one["text"], "score": one["probability"]}
            # Another threshold than 0 may choose another than the likeliest.
            for one in sorted(some, key=lambda o: o["text"] != answers[name])
        ]
        for name, some in best.items()
        if not _stands_for_none(some)
    }


def _watched(task, beat):
    """Returns a task that reports how many windows its model has processed."""

    class Watched(type(task)):
        def _preprocess_eval_data(self, params):
            beat.reached("cutting paragraphs into windows")
            path, examples, windows = super()._preprocess_eval_data(params)
            self.windows = len(windows)
            return path, examples, windows

        def aggregate_logs(self, state=None, step_outputs=None):
            state = super().aggregate_logs(state, step_outputs)
            # The last batch is padded.
            seen = min(len(state), self.windows)
            beat.reached(f"window {seen:,} of {self.windows:,}")
            if seen == self.windows:
                beat.reached("all windows, choosing the answers")
            return state

    return Watched(task.task_config)


def _stands_for_none(best):
    """Returns whether the best answers mean that none was found.

    Model Garden marks that by the word "empty", which may also be an answer,
    with two logits that no model computes (official/nlp/data/squad_lib.py,
    2.20.0).
    """
    first, *others = best
    return (
        not others
        and first["text"] == "empty"
        and isinstance(first["start_logit"], float)
        and first["start_logit"] == first["end_logit"] == 0
    )


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Writes the answers.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with the number of `answers` and the `output` file.

    Raises:
        InputError: If an argument or a file cannot be used.
    """
    dataset = squad.read_questions("--input", arguments.input)
    _check_outputs(arguments)
    model = load(arguments.model_dir, arguments.checkpoint)
    found = candidates(*model, dataset)
    answers = {
        name: chosen(some, arguments.min_score) for name, some in found.items()
    }
    files.write_json(arguments.output, answers)
    if arguments.n_best_output:
        best = {name: some[: arguments.n_best] for name, some in found.items()}
        files.write_json(arguments.n_best_output, best)
    return {"answers": len(answers), "output": arguments.output}


def _check_outputs(arguments):
    """Checks that each file can be written, and is another than the others."""
    taken = {os.path.realpath(arguments.input)}
    for option in ("output", "n_best_output"):
        path = getattr(arguments, option)
        if path is None:
            continue
        files.check_output(f"--{option}", path)
        if os.path.realpath(path) in taken:
            raise command_line.InputError(
                f"`--{option}` must be another file than the others. "
                f"Received: --{option}={path}"
            )
        taken.add(os.path.realpath(path))


def add_model_arguments(parser: command_line.Parser) -> None:
    """Adds the options that choose a model.

    Args:
        parser: The script's parser.
    """
    parser.add_argument(
        "--model_dir",
        required=True,
        metavar="DIR",
        help="directory of a run of finetune_squad.py",
    )
    parser.add_argument(
        "--checkpoint",
        choices=("best", "newest"),
        default="best",
        help="the one with the best F1, or the newest",
    )
    parser.add_argument(
        "--min_score",
        type=command_line.number(0, 1),
        default=0.0,
        help=(
            "give no answer whose score is lower: its share, from 0 to 1, "
            "among the likeliest answers"
        ),
    )


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add_model_arguments(result)
    add = result.add_argument
    add("--input", required=True, metavar="FILE", help="SQuAD JSON")
    add("--output", required=True, metavar="FILE", help="JSON to write")
    add(
        "--n_best_output",
        metavar="FILE",
        help=(
            "JSON to write the likeliest answers to, from question id to a "
            "list of texts and scores, the model's answer first"
        ),
    )
    add(
        "--n_best",
        type=command_line.integer(1),
        default=20,
        help="answers to each question in that file at most",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
