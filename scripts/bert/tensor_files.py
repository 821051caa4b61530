"""Finds the tensors of a model in its safetensors files."""

import os
from collections.abc import Iterable
from collections.abc import Mapping

from command_line import InputError
from command_line import files

_SUFFIX = ".safetensors"
_FILE = f"model{_SUFFIX}"
_INDEX = f"{_FILE}.index.json"
_FLOATS = ("F64", "F32", "F16", "BF16")
# Files that hold pickles, which can run any code when they are read.
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


class TensorFiles:
    """Tensors in `model.safetensors`, or in shards with an index beside them.

    Nothing but the headers is read before `read`.

    Args:
        argument: Name of the command line's argument, for errors.
        directory: Directory of the files.

    Raises:
        InputError: If a file is missing or is not whole.
    """

    def __init__(self, argument: str, directory: str) -> None:
        self._received = f"Received: {argument}={directory}"
        self._argument = argument
        self._directory = directory
        self._open = {}
        self._place = {}
        for file, expected in self._shards():
            there = set(self._opened(file, "np").keys())
            lost = sorted(set(expected or there) - there)
            if lost:
                raise self._unusable(file, f"it lacks {lost[0]}")
            self._place |= dict.fromkeys(expected or there, file)

    def find(self, name: str) -> str | None:
        """Returns the name that a tensor has here, if it is here.

        Models without heads leave out `bert.`, and old ones call the weights
        of a norm gamma and beta.

        Args:
            name: Name of the tensor in a BERT with heads.
        """
        norm, _, kind = name.rpartition(".")
        old = {"weight": "gamma", "bias": "beta"}.get(kind)
        names = [name]
        if norm.endswith("LayerNorm") and old:
            names.append(f"{norm}.{old}")
        for found in names:
            for here in (found, found.removeprefix("bert.")):
                if here in self._place:
                    return here
        return None

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Checks that tensors are here, with their shapes.

        Args:
            shapes: Dict from names to shapes.

        Raises:
            InputError: If one is missing, or has another shape or no floats.
        """
        for name, shape in sorted(shapes.items()):
            here = self.find(name)
            if here is None:
                raise InputError(
                    f"`{self._argument}` must hold all tensors of the BERT "
                    f"that its config.json describes; {name} is missing. "
                    f"{self._received}"
                )
            file = self._place[here]
            found = self._opened(file, "np").get_slice(here)
            if tuple(found.get_shape()) != shape:
                raise InputError(
                    f"`{self._argument}` must hold the BERT that its "
                    f"config.json describes; {here} has the shape "
                    f"{tuple(found.get_shape())}, not {shape}. "
                    f"{self._received}"
                )
            if found.get_dtype() not in _FLOATS:
                raise InputError(
                    f"`{self._argument}` must hold floating-point weights; "
                    f"{here} is {found.get_dtype()}. {self._received}"
                )

    def read(self, names: Iterable[str]) -> dict:
        """Returns tensors as float32 arrays.

        Args:
            names: Their names, of tensors that are here.

        Returns:
            Dict from names to NumPy arrays.
        """
        # NumPy has no bfloat16.
        import tensorflow as tf

        found = {}
        for name in names:
            here = self.find(name)
            tensor = self._opened(self._place[here], "tf").get_tensor(here)
            found[name] = tf.cast(tensor, tf.float32).numpy()
        return found

    def _shards(self):
        """Yields the files, and the tensors that each has to hold, if known."""
        index = os.path.join(self._directory, _INDEX)
        if os.path.isfile(os.path.join(self._directory, _FILE)):
            yield _FILE, None
            return
        if not os.path.isfile(index):
            raise self._missing()
        found = files.read_json(self._argument, index)
        places = found.get("weight_map") if isinstance(found, Mapping) else None
        if not isinstance(places, Mapping) or not places:
            raise self._unusable(_INDEX, "it has no `weight_map`")
        for file in sorted({*map(str, places.values())}):
            if (
                os.path.basename(file) != file
                or not file.endswith(_SUFFIX)
                or not file.isprintable()
            ):
                raise self._unusable(_INDEX, f"it names the file {file!r}")
            yield file, [n for n, place in places.items() if place == file]

    def _missing(self):
        names = os.listdir(self._directory)
        pickles = [n for n in sorted(names) if n.endswith(_PICKLES)]
        if pickles:
            return InputError(
                f"`{self._argument}` must hold {_FILE}; {pickles[0]} is a "
                "pickle, which can run any code, and is not read. Let its "
                "model save itself as safetensors where you trust it. "
                f"{self._received}"
            )
        return InputError(
            f"`{self._argument}` must hold the weights of a BERT, {_FILE} or "
            f"{_INDEX}; there is neither. {self._received}"
        )

    def _opened(self, file, framework):
        # Only runs that start from such files need it.
        import safetensors

        if (file, framework) not in self._open:
            path = os.path.join(self._directory, file)
            try:
                opened = safetensors.safe_open(path, framework=framework)
            except (OSError, safetensors.SafetensorError) as error:
                reason = " ".join(str(error).split())
                raise self._unusable(file, reason) from error
            self._open[file, framework] = opened
        return self._open[file, framework]

    def _unusable(self, file, reason):
        return InputError(
            f"`{self._argument}` must hold whole safetensors files; {file} "
            f"cannot be used: {reason}. Is it downloaded completely? "
            f"{self._received}"
        )
