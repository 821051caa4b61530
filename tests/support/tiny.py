"""A tiny run of the scripts: its text, questions and configs."""

import re

PARAGRAPH = "The cat sat on the red mat. The dog ran to the blue door."
QUESTIONS = {
    "cat": ("Where did the cat sit?", "the red mat"),
    "dog": ("Where did the dog run to?", "the blue door"),
}
PROGRESS = re.compile(
    r"step \d|resuming from step|(train|heldout)-\d+: \d|(train|dev): turning|"
    r"(answering|building|compiling|computing|importing|learning|leaving|looking|"
    r"masking|reading|restoring|starting|taking|turning|heads with) "
)
CONFIGS = {
    "tiny": """
task:
  model:
    encoder:
      type: bert
      bert: {num_layers: 1, hidden_size: 16, num_attention_heads: 2,
             intermediate_size: 32, max_position_embeddings: 32,
             dropout_rate: 0.0, attention_dropout_rate: 0.0}
  train_data: {global_batch_size: 4, seq_length: 32}
  validation_data: {global_batch_size: 4, seq_length: 32, is_training: false,
                    drop_remainder: false}
trainer:
  train_steps: 3
  steps_per_loop: 1
  summary_interval: 1
  checkpoint_interval: 3
  validation_interval: 3
  optimizer_config:
    learning_rate: {polynomial: {initial_learning_rate: 0.01, decay_steps: 9}}
    warmup: {polynomial: {warmup_steps: 1}}
""",
    "pretraining": """
task:
  model: {cls_heads: [{inner_dim: 16, num_classes: 2, name: next_sentence}]}
  train_data: {max_predictions_per_seq: 4}
  validation_data: {max_predictions_per_seq: 4}
""",
    # A batch is all there is, so that the order of the data does not matter.
    "finetuning": """
task:
  train_data: {global_batch_size: 2}
  validation_data: {query_length: 12, doc_stride: 8}
trainer:
  best_checkpoint_export_subdir: best
  best_checkpoint_eval_metric: final_f1
""",
}


def dataset():
    """Returns the questions as SQuAD v1.1 has them."""
    asked = [
        {
            "id": name,
            "question": question,
            "answers": [{"text": text, "answer_start": PARAGRAPH.index(text)}],
        }
        for name, (question, text) in QUESTIONS.items()
    ]
    paragraph = {"context": PARAGRAPH, "qas": asked}
    return {"data": [{"title": "pets", "paragraphs": [paragraph]}]}


def every(steps):
    """Returns the settings of a run that evaluates after so many steps."""
    names = ("steps_per_loop", "summary_interval", "validation_interval")
    return ",".join(f"trainer.{name}={steps}" for name in names)


def call(script, *options):
    """Returns what a script gives for a command line."""
    return script.run(script.parser().parse_args(list(map(str, options))))


def built(experiment, *options):
    """Returns the parameters of an experiment that a command line asks for."""
    import pretrain_bert
    from bert import parameters

    line = ["--data_dir", "data", "--model_dir", "run", *options]
    arguments = pretrain_bert.parser().parse_args(list(map(str, line)))
    data = {"task": {"model": {"encoder": {"type": "bert"}}}}
    return parameters.build(f"keras_clip/bert/{experiment}", [data], arguments)


def said(capsys):
    """Returns the lines on standard error, but those of a slow machine."""
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if not line.endswith(" so far")]


class Accepted(AssertionError):
    """Tells that a script took a command line that it was to refuse."""


def examples(*paths):
    """Returns the features of each record of files, by name."""
    import tensorflow as tf

    records = tf.data.TFRecordDataset(list(map(str, paths)))
    return [
        {
            name: list(value.int64_list.value or value.float_list.value)
            for name, value in tf.train.Example.FromString(
                record
            ).features.feature.items()
        }
        for record in records.as_numpy_iterator()
    ]


def unmasked(example):
    """Returns the ids of a masked example as they were."""
    ids = [*example["input_ids"]]
    masked = zip(
        example["masked_lm_positions"], example["masked_lm_ids"], strict=True
    )
    for position, label in masked:
        # What is masked may have been replaced by another piece.
        if label:
            ids[position] = label
    return ids
