"""Defines the answering of SQuAD's questions."""

import collections
import json
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bert import squad
from experiments.real_models import encoder
from experiments.real_models.tasks.task import Task
from experiments.real_models.tasks.task import orders

_EVALUATED_AT_ONCE = 32
# Settings of BERT's evaluation.
_CANDIDATES = 20
_LONGEST_ANSWER = 30

_Result = collections.namedtuple(
    "_Result", ["unique_id", "start_logits", "end_logits"]
)


class Questions(Task):
    """Stores SQuAD v1.1, cut into windows.

    The first questions of the training file are trained on, the next ones are
    for the search. The comparison is on every third question of the
    development file, and for the first seed on all of them too.

    Args:
        experiment: The experiment.
        sources: Paths of the data, by name.
    """

    def __init__(self, experiment: Mapping, sources: Mapping[str, str]):
        super().__init__(experiment)
        self._directory = sources["encoder"]
        self._encoder = encoder.Encoder(self._directory)
        train = squad.read_training("--squad_train", sources["squad_train"])
        dev = squad.read_references("--squad_dev", sources["squad_dev"])
        number = experiment["questions"]
        last = number + experiment["tuning_questions"]
        self._training = self._windows(_part(train, slice(number)), True)
        self._sets = {
            "tuning": _part(train, slice(number, last)),
            "comparison": _part(dev, slice(None, None, 3)),
            "whole": dev,
        }
        self._cut = {}

    @property
    def all_steps(self) -> int:
        """Returns the number of steps of a whole run."""
        windows = len(self._training.targets)
        each = windows // self.experiment["batch_size"]
        return each * self.experiment["epochs"]

    def model(self, seed: int):
        """Returns the encoder with a new head for starts and for ends.

        Args:
            seed: Seed of the head.
        """
        bert = self._encoder.copy()
        logits = encoder.head(self.keras, 2, seed)(
            bert.output["sequence_output"]
        )
        return self.keras.Model(
            bert.input, self.keras.layers.Permute((2, 1))(logits)
        )

    def batches(self, seed: int) -> Iterator[tuple]:
        """Yields mini-batches of windows, with starts and ends.

        Args:
            seed: Seed of their order.
        """
        windows = self._training
        size = self.experiment["batch_size"]
        for chosen in orders(len(windows.targets), size, self.steps, seed):
            x = {name: array[chosen] for name, array in windows.x.items()}
            yield x, windows.targets[chosen]

    def examples(self) -> tuple[dict, np.ndarray]:
        """Returns the inputs, starts and ends of all training windows."""
        return self._training.x, self._training.targets

    def evaluate(self, model, which: str, last: bool) -> dict:
        """Returns exact match and F1, both in percent.

        Args:
            model: The model.
            which: `"tuning"`, `"comparison"` or `"whole"`.
            last: Not used.
        """
        from official.nlp.data import squad_lib
        from official.nlp.tools import squad_evaluate_v1_1

        windows = self._held_out(which)
        logits = np.concatenate(
            [
                model.predict_on_batch(
                    {
                        name: array[first : first + _EVALUATED_AT_ONCE]
                        for name, array in windows.x.items()
                    }
                )
                for first in range(0, len(windows.features), _EVALUATED_AT_ONCE)
            ]
        )
        results = [
            _Result(feature.unique_id, row[0].tolist(), row[1].tolist())
            for feature, row in zip(windows.features, logits, strict=True)
        ]
        answers, *_ = squad_lib.postprocess_output(
            windows.examples,
            windows.features,
            results,
            _CANDIDATES,
            _LONGEST_ANSWER,
            do_lower_case=True,
        )
        references = self._sets[which]["data"]
        scores = squad_evaluate_v1_1.evaluate(references, answers)
        return {
            "exact_match": 100 * scores["exact_match"],
            "f1": 100 * scores["final_f1"],
        }

    def _held_out(self, which):
        if which not in self._cut:
            self._cut[which] = self._windows(self._sets[which], False)
        return self._cut[which]

    def _windows(self, dataset, is_training):
        from official.nlp.data import squad_lib
        from official.nlp.tools import tokenization

        tokenizer = tokenization.FullTokenizer(
            str(Path(self._directory) / "vocab.txt"), do_lower_case=True
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "questions.json"
            path.write_text(json.dumps(dataset), "utf-8")
            examples = squad_lib.read_squad_examples(
                str(path), is_training, version_2_with_negative=False
            )
        features = []

        def keep(feature, is_padding=False):
            if not is_padding:
                features.append(feature)

        squad_lib.convert_examples_to_features(
            examples,
            tokenizer,
            self.experiment["length"],
            self.experiment["stride"],
            self.experiment["question_length"],
            is_training,
            keep,
            batch_size=1,
        )
        return _Windows(examples, features)


class _Windows:
    """Stores windows over paragraphs, each with its question."""

    def __init__(self, examples, features):
        self.examples, self.features = examples, features
        names = {
            "token_ids": "input_ids",
            "segment_ids": "segment_ids",
            "padding_mask": "input_mask",
        }
        self.x = {
            ours: np.array([getattr(f, theirs) for f in features], "int32")
            for ours, theirs in names.items()
        }
        self.targets = np.array(
            [(f.start_position or 0, f.end_position or 0) for f in features],
            "int32",
        )


def _part(dataset, chosen):
    """Returns some of the questions, each with its paragraph."""
    found = list(squad.questions(dataset))[chosen]
    paragraphs = [
        {"context": context, "qas": [question]} for context, question in found
    ]
    return {"data": [{"title": "", "paragraphs": paragraphs}]}
