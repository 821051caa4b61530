"""The scores of SQuAD v2.0, from what its papers say of them.

Rajpurkar et al. (2016) compare answers without punctuation and articles, F1 by
their words, and count the best of several right answers. Rajpurkar, Jia & Liang
(2018) add that where there is none, no answer is right, and any other wrong.
"""

import string

ARTICLES = ("a", "an", "the")


def words(text):
    """Returns the words of an answer that count."""
    kept = [c for c in text.lower() if c not in string.punctuation]
    return [word for word in "".join(kept).split() if word not in ARTICLES]


def f1(answer, prediction):
    """Returns twice the words in common, over all words of both."""
    if not answer or not prediction:
        return float(answer == prediction)
    common = sum(
        min(answer.count(word), prediction.count(word)) for word in set(answer)
    )
    return 2 * common / (len(answer) + len(prediction))


def score(answers, prediction):
    """Returns exact match and F1 of a prediction, from 0 to 1."""
    right = [words(text) for text in answers if words(text)] or [[]]
    given = words(prediction)
    return float(given in right), max(f1(one, given) for one in right)


def scores(asked, predictions):
    """Returns the means of all questions and of both kinds of them.

    Args:
        asked: Dict from question id to its right answers.
        predictions: Dict from question id to an answer.
    """
    kinds = {
        "": [*asked],
        "has_answer_": [name for name in asked if asked[name]],
        "no_answer_": [name for name in asked if not asked[name]],
    }
    found = {}
    for kind, names in kinds.items():
        if names:
            pairs = [score(asked[name], predictions[name]) for name in names]
            exact, overlap = map(sum, zip(*pairs, strict=True))
            found[f"{kind}exact_match"] = exact / len(names)
            found[f"{kind}f1"] = overlap / len(names)
    return found
