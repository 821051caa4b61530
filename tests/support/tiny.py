"""A tiny run of the scripts: its text, questions and configs."""

import re
import sys

import command_line

PARAGRAPH = "The cat sat on the red mat. The dog ran to the blue door."
QUESTIONS = {
    "cat": ("Where did the cat sit?", "the red mat"),
    "dog": ("Where did the dog run to?", "the blue door"),
}
PROGRESS = re.compile(
    r"step \d|resuming from step|(train|heldout)-\d+: \d|(train|dev): turning|"
    r"(answering|building|compiling|computing|importing|learning|looking|"
    r"masking|reading|restoring|turning) "
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


def call(script, *options):
    """Returns what a script gives for a command line."""
    return script.run(script.parser().parse_args(list(map(str, options))))


def said(capsys):
    """Returns the lines on standard error, but those of a slow machine."""
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if not line.endswith(" so far")]


def complaint(monkeypatch, capsys, script, *options, status=2):
    """Returns the one line with which a script ends that cannot go on.

    Before it there is nothing but what the script says of its progress.
    """
    line = [script.__file__, *map(str, options)]
    monkeypatch.setattr(sys, "argv", line)
    capsys.readouterr()
    try:
        command_line.main(script.parser(), script.run)
    except SystemExit as stop:
        assert stop.code == status
    else:
        raise AssertionError("the command line was accepted")
    output = capsys.readouterr()
    assert not output.out
    *progress, message = output.err.splitlines()
    assert all(map(PROGRESS.match, progress)), progress
    return message
