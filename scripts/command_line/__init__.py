"""Options, errors, files and progress of all commands."""

from command_line.errors import Divergence
from command_line.errors import InputError
from command_line.errors import installed
from command_line.parser import Parser
from command_line.parser import integer
from command_line.parser import main
from command_line.parser import number
from command_line.parser import quieten

__all__ = [
    "Divergence",
    "InputError",
    "Parser",
    "installed",
    "integer",
    "main",
    "number",
    "quieten",
]
