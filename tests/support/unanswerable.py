"""A few questions with an answer and a few without, and all their words."""

from bert import vocabulary
from tests.support import tiny
from tests.support.tiny import PARAGRAPH

WORDS = "the cat dog sat sit ran run on to red blue mat door where did . , ?"
PIECES = [*vocabulary.RESERVED_TOKENS, *WORDS.split()]
# Of the same words as those that have an answer.
UNANSWERABLE = {
    "cat ran": "Where did the cat run to?",
    "dog sat": "Where did the dog sit?",
}
RIGHT = {
    **{name: text for name, (_, text) in tiny.QUESTIONS.items()},
    **dict.fromkeys(UNANSWERABLE, ""),
}
# Of one window, of another order, and of several windows.
PARAGRAPHS = [
    PARAGRAPH,
    "The dog sat on the blue mat. The cat ran to the red door.",
    " ".join([PARAGRAPH] * 3),
]


def dataset(*more):
    """Returns questions of both kinds, and further paragraphs."""
    found = tiny.dataset()
    (paragraph,) = found["data"][0]["paragraphs"]
    plausible = paragraph["qas"][0]["answers"]
    paragraph["qas"] += [
        {
            "id": name,
            "question": question,
            "answers": [],
            "is_impossible": True,
            "plausible_answers": plausible,
        }
        for name, question in UNANSWERABLE.items()
    ]
    found["data"][0]["paragraphs"] += more
    return found


# Another paragraph without a word, to evaluate on.
BLANK = {
    "context": "\u200b",
    "qas": [
        {
            "id": "blank",
            "question": "Where?",
            "answers": [],
            "is_impossible": True,
        }
    ],
}
FILES = {"v1": tiny.dataset(), "v2": dataset(), "blank": dataset(BLANK)}
