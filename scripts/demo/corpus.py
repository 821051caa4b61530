"""Extracts prose from the text that every Python installation contains.

`pydoc_data.topics` holds the reference behind `help()`. Its code, grammar and
tables are left out: they are not language to pretrain on, and a small
vocabulary splits them into many pieces.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping
from pydoc_data import topics as pydoc_topics

# The modules that the demo shares with the other scripts are one folder up.
from bert.texts import sentences

# A documented name on a separate line, such as `str.find(sub)`.
_ENTRY = re.compile(r"(?:class |static |async )?([\w.]+\w)(\(.*\))?( -> \w+)?")
_CODE = re.compile(
    r"(?:>>>|\.\.\. |\(Pdb\)|Traceback|[|+#@]|[\w.]+ = |\[\d+\]).*|.*::=.*"
)
_UNDERLINE = re.compile(r"^[*=~^-]{3,}$", re.MULTILINE)


def paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Yields the prose of a topic.

    Args:
        text: A topic of `pydoc_data`.

    Yields:
        Tuples of the documented name, `""` for none, and a paragraph of prose
        on one line.
    """
    entry, entry_indent = "", 0
    for block in re.split(r"\n\s*\n", _UNDERLINE.sub("", text)):
        lines = block.strip("\n").splitlines()
        if not lines:
            continue
        indent = len(lines[0]) - len(lines[0].lstrip())
        if indent < entry_indent:
            entry, entry_indent = "", 0
        prose = re.sub(r"^(?:[*] |\d+\. )", "", " ".join(block.split()))
        name = _ENTRY.fullmatch(lines[0].strip())
        if name and (name[2] or len(lines) > 1):
            entry, entry_indent = name[1] + "()" * bool(name[2]), indent + 3
        elif not _CODE.fullmatch(prose) and _is_prose(prose):
            yield entry, prose


def document(text: str) -> str:
    """Returns a topic as a document with one sentence per line.

    Args:
        text: A topic of `pydoc_data`.

    Returns:
        The document; a documented name precedes its first sentence.
    """
    lines, before = [], ""
    for entry, paragraph in paragraphs(text):
        lead = f"{entry}: " if entry and entry != before else ""
        lines += sentences(lead + paragraph)
        before = entry
    return "\n".join(lines)


def documents(topics: Mapping[str, str] | None = None) -> list[str]:
    """Returns all topics as documents.

    Args:
        topics: Texts by name, those of the running Python by default.

    Returns:
        The documents with prose.
    """
    topics = pydoc_topics.topics if topics is None else topics
    return [made for made in map(document, topics.values()) if made]


def passages(
    topics: Mapping[str, str] | None = None, words: int = 50
) -> Iterator[tuple[str, str, str]]:
    """Yields short texts to ask questions about, no paragraph twice.

    Args:
        topics: Texts by name, those of the running Python by default.
        words: Maximum length of a passage.

    Yields:
        Tuples of the topic, the documented name, `""` for none, and the
        passage. The name precedes its first passage.
    """
    topics = pydoc_topics.topics if topics is None else topics
    seen = set()
    for topic, text in topics.items():
        before, passage = "", ""
        for entry, paragraph in [*paragraphs(text), (None, "")]:
            if (entry, paragraph) in seen and entry is not None:
                continue
            seen.add((entry, paragraph))
            for sentence in sentences(paragraph):
                longer = f"{passage} {sentence}".strip()
                if entry == before and len(longer.split()) <= words:
                    passage = longer
                    continue
                if len(passage.split()) >= 8:
                    yield topic, before, passage
                lead = f"{entry}: " if entry and entry != before else ""
                before, passage = entry, lead + sentence


def _is_prose(text: str) -> bool:
    words = text.split()
    plain = sum(bool(re.match(r"[a-z]+[,.;:]?$", word)) for word in words)
    return len(words) >= 4 and plain >= len(words) / 2
