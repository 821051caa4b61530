"""The first step of a run is traced once."""

import pytest
from official.core import base_task
from official.nlp.tasks import masked_lm

import finetune_squad
import pretrain_bert
from tests.support.tiny import call

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("script", "options"),
    [(pretrain_bert, "pretraining"), (finetune_squad, "finetuning")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_step_is_traced_once(
    monkeypatch, request, tmp_path, script, options
):
    options = request.getfixturevalue(options)
    traces = []
    for task in (masked_lm.MaskedLMTask, base_task.Task):
        step = task.train_step

        def traced(*args, step=step, **kwargs):
            traces.append(step)
            return step(*args, **kwargs)

        monkeypatch.setattr(task, "train_step", traced)
    call(
        script,
        *options,
        *("--optimizer", "acclip", "--train_steps", 3),
        *("--model_dir", tmp_path / "run"),
    )
    assert len(traces) == 1
