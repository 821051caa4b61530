"""Computes the scores that a model must beat to have learned anything."""

import collections
import json
import math
import random
from collections.abc import Iterable

import tensorflow as tf
from official.nlp.tools import squad_evaluate_v1_1


def unigram_entropy(record_path: str) -> tuple[float, float]:
    """Returns the loss and accuracy of the best guess without context.

    The guess is fitted to the tokens that it is tested on. No model that
    ignores the context can be better.

    Args:
        record_path: TFRecords of prepare_pretraining_data.py, or a pattern.

    Returns:
        Tuple of the entropy of the masked tokens in nats and the share of the
        most frequent one.
    """
    token_counts = collections.Counter()
    records = tf.data.TFRecordDataset(tf.io.gfile.glob(record_path))
    for record in records.as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        labels = feature["masked_lm_ids"].int64_list.value
        weights = feature["masked_lm_weights"].float_list.value
        token_counts.update(
            label
            for label, weight in zip(labels, weights, strict=True)
            if weight
        )
    total = sum(token_counts.values())
    shares = [count / total for count in token_counts.values()]
    return -sum(p * math.log(p) for p in shares), max(shares)


def random_spans(
    dataset_path: str, max_answer_words: int = 30, draws: int = 100
) -> tuple[float, float]:
    """Returns the expected exact match and F1 of random spans of words.

    Args:
        dataset_path: SQuAD v1.1 JSON file.
        max_answer_words: Longest span that is drawn.
        draws: Spans drawn for each question.

    Returns:
        Tuple of exact match and F1, in percent.
    """
    with open(dataset_path, encoding="utf-8") as file:
        articles = json.load(file)["data"]
    generator = random.Random(0)
    scores = []
    for _ in range(draws):
        guesses = {
            question["id"]: _random_span(
                context.split(), max_answer_words, generator
            )
            for context, question in _questions(articles)
        }
        scores.append(squad_evaluate_v1_1.evaluate(articles, guesses))
    return (
        100 * sum(score["exact_match"] for score in scores) / draws,
        100 * sum(score["final_f1"] for score in scores) / draws,
    )


def _questions(articles: list[dict]) -> Iterable[tuple[str, dict]]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield paragraph["context"], question


def _random_span(words, max_words, generator):
    start = generator.randrange(len(words))
    longest = min(max_words, len(words) - start)
    return " ".join(words[start : start + generator.randint(1, longest)])
