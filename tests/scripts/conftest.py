"""Makes the scripts importable as their command lines see each other."""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
for folder in (SCRIPTS, SCRIPTS / "demo"):
    sys.path.insert(0, str(folder))
