"""Converts a rule to a graph of operations whose constants are inputs.

XLA keeps compiled functions until the process ends (tensorflow 2.20.0). If
`beta_1` were a constant of a compiled function, a search over a hundred values
of it would keep a hundred functions for each shape.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_clip.rules.clips import Clip
from keras_clip.rules.rule import Rule
from keras_clip.step.move import new_values

# Operations that are limited by memory even in a loop that is not vectorized.
_CHEAP = frozenset(
    (
        "Abs",
        "AddV2",
        "BroadcastTo",
        "Cast",
        "Const",
        "Identity",
        "Less",
        "Mul",
        "Neg",
        "Placeholder",
        "SelectV2",
        "Square",
        "Sub",
    )
)


class Program(NamedTuple):
    """Computes what a rule does for a variable and its slots; hashable.

    Attributes:
        graph: Serialized `GraphDef` of the computation.
        inputs: Names of the inputs, the constants last; `""` for an unused one.
        outputs: Names of the new values of the variable and of its slots.
        written_in_place: Which new values XLA can write over the old ones
            without a loss of speed, as they are sums of products of these:
            `"all"`; `"state"`, the slots alone; or `"nothing"`, also if the
            variable depends on slots before the update.
    """

    graph: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    written_in_place: str

    def __call__(self, values: Sequence, inputs: Sequence) -> list:
        """Returns the new values that `new_values` returns for the rule.

        Args:
            values: Tensors of one shape, the variable's value and its slots'.
            inputs: The inputs that `inputs_of` returns, then the constants.
                Gradient, number of the update and clip broadcast to `values`.
        """
        # In a loop they may belong to an outer graph, which an import rejects.
        given = {
            name: tf.identity(value)
            for name, value in zip(self.inputs, [*values, *inputs], strict=True)
            if name
        }
        return tf.graph_util.import_graph_def(
            tf.compat.v1.GraphDef.FromString(self.graph),
            input_map=given,
            return_elements=self.outputs,
            name="rule",
        )


def inputs_of(
    g, learning_rate, k, clip: Clip, shared: Sequence
) -> list[tf.Tensor]:
    """Returns the inputs of a program, arguments of `new_values`, as a list."""
    return [g, learning_rate, k, *clip, *shared]


def program_of(
    rule: Rule,
    weight_decay: float,
    dtypes: tuple[str, ...],
    input_dtypes: tuple[str, ...],
    clip: type[Clip],
) -> tuple[Program, list[np.ndarray]]:
    """Returns `new_values` of one rule as a program, and the constants.

    Args:
        rule: See `new_values`.
        weight_decay: See `new_values`.
        dtypes: Dtypes of the variable and of its slots.
        input_dtypes: Dtypes of the inputs that `inputs_of` returns.
        clip: Class of the gradient's clip.
    """
    count = len(dtypes)

    def computed(*tensors):
        g, learning_rate, k, *others = tensors[count:]
        number = len(clip._fields)
        return new_values(
            rule,
            weight_decay,
            tensors[:count],
            g,
            learning_rate,
            k,
            clip(*others[:number]),
            others[number:],
        )

    # Of unknown rank, which elementwise operations accept.
    signature = [tf.TensorSpec(None, dtype) for dtype in dtypes] + [
        tf.TensorSpec(() if place else None, dtype)
        for place, dtype in enumerate(input_dtypes)
    ]
    # Not a `tf.Graph`, in which `==` compares identities of tensors.
    with tf.init_scope():
        function = tf.compat.v1.wrap_function(computed, signature)
    values, inputs = function.inputs[:count], function.inputs[count:]
    outputs = function.graph.structured_outputs
    definition = function.graph.as_graph_def()
    constants = _constants_in(definition)
    names = [*(tensor.op.name for tensor in [*values, *inputs]), *constants]
    _remove(definition, names)
    used = {name for node in definition.node for name in node.input}
    program = Program(
        graph=definition.SerializeToString(deterministic=True),
        inputs=tuple(f"{name}:0" if name in used else "" for name in names),
        outputs=tuple(tensor.name for tensor in outputs),
        written_in_place=_written_in_place(outputs, values),
    )
    return program, list(constants.values())


def _constants_in(definition):
    """Returns the floating-point scalars of a graph, by name."""
    constants = {}
    for node in definition.node:
        if node.op == "Const":
            value = tf.make_ndarray(node.attr["value"].tensor)
            if value.dtype.kind == "f" and not value.ndim:
                constants[node.name] = value
    return constants


def _remove(definition, names):
    """Removes nodes from a graph: XLA does not compile placeholders."""
    kept = [node for node in definition.node if node.name not in names]
    del definition.node[:]
    definition.node.extend(kept)


def _written_in_place(outputs, before):
    x, *after = outputs
    of_slots = _ops_between(after, ())
    of_variable = _ops_between([x], after)
    reads_slots = any(value.op in of_variable for value in before[1:])
    if reads_slots or not _are_cheap(of_slots):
        return "nothing"
    return "all" if _are_cheap(of_variable) else "state"


def _ops_between(ends, starts):
    """Returns the ops that compute some vectors from others."""
    known = {value.ref() for value in starts}
    found, left = set(), [value for value in ends if value.ref() not in known]
    while left:
        op = left.pop().op
        if op not in found:
            found.add(op)
            left += [
                value
                for value in op.inputs
                if value.shape.rank != 0 and value.ref() not in known
            ]
    return found


def _are_cheap(ops):
    return all(op.type in _CHEAP for op in ops)
