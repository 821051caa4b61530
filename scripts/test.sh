#!/usr/bin/env bash
# All tests, in an environment of their own, on two processes, then the style.
#
#   scripts/test.sh [--fast] [options and paths for pytest]
#
# --fast leaves out the tests with the marker `slow`, which train, start
# processes or have many cases: on two cores it takes three minutes instead of
# twenty, once the environment is made.
# Paths are those from the root of the repository, wherever this is called from.
# The status is 0 only if the tests have passed and ruff has found nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh model-garden,noise,plots,jax,test

options=(-n 2 --dist loadfile --no-loadscope-reorder)
if [ "${1:-}" = --fast ]; then
  shift
  options+=(-m "not slow")
fi
status=0
if [ $# -gt 0 ]; then
  python -m pytest "${options[@]}" "$@" || status=$?
else
  # Rules and steps run on NumPy, where nothing is traced. What XLA has compiled
  # stays in memory as long as a process does: optimizers have their own.
  KERAS_BACKEND=numpy \
    python -m pytest "${options[@]}" tests/rules tests/step || status=$?
  python -m pytest "${options[@]}" tests \
    --ignore=tests/rules --ignore=tests/step --ignore=tests/optimizers ||
    status=$?
  python -m pytest "${options[@]}" tests/optimizers || status=$?
  # The same once more, of steps in place.
  KERAS_BACKEND=torch \
    python -m pytest "${options[@]}" -m "not slow" \
    tests/rules tests/step tests/optimizers || status=$?
  KERAS_BACKEND=torch \
    python -m pytest "${options[@]}" \
    tests/on_torch tests/optimizers/test_training.py || status=$?
fi
ruff check . || status=$?
ruff format --check . || status=$?
exit "$status"
