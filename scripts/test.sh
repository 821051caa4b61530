#!/usr/bin/env bash
# All tests, in an environment of their own. Options go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh model-garden,plots,jax,test
ruff check .
ruff format --check .
exec python -m pytest "$@"
