"""Writes the saved models that later versions must load and go on from.

Usage: python -m tests.golden.generate [NAME ...]

For each of the optimizers named, or each that has none yet, and for each front
end: `LAYOUT/FRONT_END/NAME.keras`, a model saved after some steps, and
`LAYOUT/FRONT_END/NAME.json`, the optimizer's config and variables and the
model's weights, then and after each further step. A file here stands for what
users have saved: make it anew only with a change that is meant to leave theirs
behind. Variables that optimizers have got since are a new layout, the last of
`LAYOUTS`; the files of the others stay. The arguments are those of the
enrolment, `golden`.
"""

import json
import pathlib
import sys

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.models import SHAPES
from tests.support.models import dense_model
from tests.support.models import train

FOLDER = pathlib.Path(__file__).parent
# Which optimizers each layout has files of. The first is from before there were
# counts of single variables.
LAYOUTS = {
    "first": (
        "acclip",
        "gclip",
        "cclip",
        "clip_adam_norm",
        "clip_adagrad_norm",
        "clip_adam",
        "clip_adagrad",
    ),
    "counted": tuple(ENROLMENTS),
}
LAST = "counted"
GRADIENTS = heavy_tailed_gradients(SHAPES, steps=5)
SAVED_AFTER = 3


def path_of(front_end, name, ending, layout=LAST):
    """Returns the path of one of the files."""
    return FOLDER / layout / front_end.name / f"{name}.{ending}"


def load(front_end, name, layout=LAST):
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
    optimizer = front_end.optimizer(name, **ENROLMENTS[name].golden)
    model = dense_model(front_end, optimizer)
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
    for name in names:
        if name not in ENROLMENTS:
            sys.exit(
                f"NAME must be one of {', '.join(ENROLMENTS)}. Received: {name}"
            )
    for front_end in (KERAS, TF_KERAS):
        for name in names or ENROLMENTS:
            if names or not path_of(front_end, name, "json").exists():
                generate(front_end, name)


if __name__ == "__main__":
    main(sys.argv[1:])
