"""Writes text as shards of masked examples, if they are missing."""

import collections
import concurrent.futures
import functools
import multiprocessing
import os
import random
import tempfile
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from command_line import files


def deal(
    documents: Iterable[list[str]], heldout_every: int, megabytes: float
) -> Iterator[tuple[str, list[list[str]]]]:
    """Distributes documents to shards.

    Args:
        documents: Documents as lists of sentences.
        heldout_every: Number of documents of which one is held out.
        megabytes: Approximate size of a shard, in millions of characters.

    Yields:
        Tuples of a shard's name and its documents.
    """
    sets = {"train": [], "heldout": []}
    sizes = dict.fromkeys(sets, 0)
    shard_counts = dict.fromkeys(sets, 0)
    for number, document in enumerate(documents, start=1):
        name = "train" if number % heldout_every else "heldout"
        sets[name].append(document)
        sizes[name] += sum(map(len, document))
        if sizes[name] >= 1e6 * megabytes:
            yield f"{name}-{shard_counts[name]:05}", sets[name]
            sets[name], sizes[name] = [], 0
            shard_counts[name] += 1
    for name, rest in sets.items():
        if rest:
            yield f"{name}-{shard_counts[name]:05}", rest


def write(name: str, documents: Sequence[Sequence[str]], settings: dict) -> int:
    """Writes documents as masked examples, unless the shard exists.

    Args:
        name: Name of the shard.
        documents: Documents as lists of sentences.
        settings: The command line, as a dict.

    Returns:
        The number of examples.
    """
    from official.nlp.data import create_pretraining_data

    from bert import records

    path = os.path.join(settings["output_dir"], f"{name}.tfrecord")
    if os.path.exists(path):
        return records.count("--output_dir", path)
    tokenizer = _tokenizer(settings["output_dir"], settings["do_lower_case"])
    is_train = name.startswith("train")
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as text:
        text.write("\n\n".join("\n".join(lines) for lines in documents))
        text.flush()
        instances = create_pretraining_data.create_training_instances(
            [text.name],
            tokenizer,
            create_pretraining_data.get_processor_text_fn(
                is_sentence_piece=False,
                do_lower_case=settings["do_lower_case"],
            ),
            settings["max_seq_length"],
            settings["dupe_factor"] if is_train else 1,
            settings["short_seq_prob"],
            settings["masked_lm_prob"],
            settings["max_predictions_per_seq"],
            random.Random(f"{settings['seed']} {name}"),
        )
    if not instances:
        return 0
    with files.whole(path) as partial:
        create_pretraining_data.write_instance_to_example_files(
            instances,
            tokenizer,
            settings["max_seq_length"],
            settings["max_predictions_per_seq"],
            [partial],
            gzip_compress=False,
            use_v2_feature_names=False,
        )
    return len(instances)


def written(
    dealt: Iterable[tuple[str, list[list[str]]]], settings: dict
) -> Iterator[tuple[str, int]]:
    """Writes shards, in several processes if the settings say so.

    Args:
        dealt: Shards as `deal` yields them.
        settings: The command line, as a dict.

    Yields:
        Tuples of a shard's name and its number of examples, in order, once it
        is written.
    """
    if settings["processes"] == 1:
        for name, documents in dealt:
            yield name, write(name, documents, settings)
        return
    pool = concurrent.futures.ProcessPoolExecutor(
        settings["processes"], multiprocessing.get_context("spawn")
    )
    waiting = collections.deque()
    with pool:
        for name, documents in dealt:
            waiting.append(
                (name, pool.submit(write, name, documents, settings))
            )
            # Waiting shards are in memory, so that few are dealt ahead.
            if len(waiting) > 2 * settings["processes"]:
                name, examples = waiting.popleft()
                yield name, examples.result()
        for name, examples in waiting:
            yield name, examples.result()


@functools.cache
def _tokenizer(directory, do_lower_case):
    from official.nlp.tools import tokenization

    return tokenization.FullTokenizer(
        os.path.join(directory, "vocab.txt"), do_lower_case=do_lower_case
    )
