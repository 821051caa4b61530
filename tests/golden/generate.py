"""Writes the saved models that later versions must load and go on from.

Usage: python -m tests.golden.generate [NAME ...]

For each of the optimizers named, or each that has none yet, and for each front
end: `LAYOUT/FRONT_END/NAME.keras`, a model saved after some steps, and
`LAYOUT/FRONT_END/NAME.json`, the optimizer's config and variables and the
model's weights, then and after each further step. A file here stands for what
users have saved: make it anew only with a change that is meant to leave theirs
behind. Variables that optimizers have got since are a new layout, the last of
`LAYOUTS`; the files of the others stay.
"""

import json
import pathlib
import sys

import numpy as np

from tests.enrolment import ENROLMENTS
from tests.enrolment.record import Adaptive
from tests.enrolment.record import Halving
from tests.enrolment.record import Polynomial
from tests.front_ends import KERAS
from tests.front_ends import TF_KERAS
from tests.gradients import heavy_tailed_gradients
from tests.models import SHAPES
from tests.models import dense_model
from tests.models import train

FOLDER = pathlib.Path(__file__).parent
# The first is from before there were counts of single variables.
LAYOUTS = ("first", "counted")
GRADIENTS = heavy_tailed_gradients(SHAPES, steps=5)
SAVED_AFTER = 3

_BY_ROW = [2.0 ** np.arange(-2, shape[-1] - 2) for shape in SHAPES]

ARGUMENTS = {
    "acclip": {
        "learning_rate": Halving(0.125, 2),
        "beta_1": 0.75,
        "beta_2": 0.875,
        "epsilon": 0.0625,
        "alpha": 1.5,
        "step_scaling": "threshold",
        "bias_correction": True,
        "weight_decay": 0.25,
        "exclude_from_weight_decay": ["bias", 2],
        "monitor": True,
    },
    "gclip": {
        "learning_rate": 0.125,
        "clip_threshold": Polynomial(2.0, 0.25),
        "momentum": 0.5,
        "projection_radius": 3.0,
        "weight_decay": 0.125,
        "exclude_from_weight_decay": ["second"],
        "use_ema": True,
        "ema_momentum": 0.5,
    },
    "cclip": {
        "learning_rate": 0.125,
        "clip_threshold": Polynomial(_BY_ROW, -0.5),
        "momentum": 0.75,
        "weight_decay": 0.25,
        "exclude_from_weight_decay": ["kernel"],
        "monitor": True,
    },
    "clip_adam_norm": {
        "learning_rate": Halving(0.5, 2),
        "beta_1": 0.75,
        "beta_2": 0.875,
        "clip_threshold": Adaptive(0.5, 0.75, 1.5),
        "delay": 2,
        "initial_accumulator": 0.5,
        "accumulator_scale": 2.0,
        "weight_decay": 0.125,
        "exclude_from_weight_decay": ["bias"],
        "global_clipnorm": 8.0,
    },
    "clip_adagrad_norm": {
        "learning_rate": 0.5,
        "beta_1": 0.5,
        "clip_threshold": Polynomial(2.0, 0.5),
        "bias_correction": True,
        "accumulator_scale": 0.5,
        "nonfinite": "propagate",
        "weight_decay": 0.125,
        "exclude_from_weight_decay": [0, 3],
    },
    "clip_adam": {
        "learning_rate": 0.0625,
        "beta_1": 0.75,
        "beta_2": 0.875,
        "epsilon": 0.0625,
        "clip_threshold": Adaptive(0.5, 0.75, 1.5),
        "clipping": "layer",
        "delay": 1,
        "initial_accumulator_value": 0.25,
        "weight_decay": 0.125,
        "exclude_from_weight_decay": ["first"],
        "clipvalue": 4.0,
    },
    "clip_adagrad": {
        "learning_rate": 0.125,
        "beta_1": 0.5,
        "initial_accumulator_value": 0.25,
        "epsilon": 0.0625,
        "clip_threshold": _BY_ROW,
        "clipping": "coordinate",
        "delay": 1,
        "jit_compile": False,
        "monitor": True,
        "weight_decay": 0.125,
        "exclude_from_weight_decay": ["bias"],
    },
}


def path_of(front_end, name, ending, layout=LAYOUTS[-1]):
    """Returns the path of one of the files."""
    return FOLDER / layout / front_end.name / f"{name}.{ending}"


def load(front_end, name, layout=LAYOUTS[-1]):
    """Returns the saved model."""
    # tf_keras finds only the classes that have been imported.
    front_end.optimizer_class(name)
    return front_end.framework.models.load_model(
        path_of(front_end, name, "keras", layout)
    )


def config_of(model):
    """Returns the optimizer's config as JSON gives it back."""
    return json.loads(json.dumps(model.optimizer.get_config()))


def variables_of(front_end, model):
    """Returns name, shape and values of every variable of the optimizer."""
    variables = model.optimizer.variables
    return [
        {
            "name": getattr(variable, "path", variable.name),
            "shape": list(variable.shape),
            "values": _shortest(front_end.value(variable)),
        }
        for variable in variables
    ]


def weights_of(front_end, model):
    """Returns the values of every weight of the model."""
    return [_shortest(value) for value in front_end.values(model.variables)]


def _shortest(array):
    """Returns numbers with as few digits as tell float32 values apart."""
    return [json.loads(str(value)) for value in array.ravel()]


def generate(front_end, name):
    """Writes the two files of an optimizer."""
    model = dense_model(front_end, front_end.optimizer(name, **ARGUMENTS[name]))
    train(front_end, model, GRADIENTS[:SAVED_AFTER])
    path_of(front_end, name, "keras").parent.mkdir(parents=True, exist_ok=True)
    model.save(path_of(front_end, name, "keras"))
    record = {
        "config": config_of(model),
        # As loaded: their paths are without the model's name then.
        "variables": variables_of(front_end, load(front_end, name)),
        "weights": [weights_of(front_end, model)],
    }
    for gradients in GRADIENTS[SAVED_AFTER:]:
        train(front_end, model, [gradients])
        record["weights"].append(weights_of(front_end, model))
    with open(path_of(front_end, name, "json"), "w") as file:
        json.dump(record, file)
        file.write("\n")


def main(names):
    """Writes the files of the optimizers named, or of those that have none."""
    for front_end in (KERAS, TF_KERAS):
        for name in names or ENROLMENTS:
            if names or not path_of(front_end, name, "json").exists():
                generate(front_end, name)


if __name__ == "__main__":
    main(sys.argv[1:])
