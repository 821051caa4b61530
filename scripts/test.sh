#!/usr/bin/env bash
# All tests, in an environment of their own, on two processes, then the style.
#
#   scripts/test.sh [--fast] [options and paths for pytest]
#
# --fast leaves out what trains, starts processes or has many cases: it takes
# about four minutes instead of more than twenty, once the environment is made.
# Paths are those from the root of the repository, wherever this is called from.
# The status is 0 only if the tests have passed and ruff has found nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh model-garden,noise,plots,jax,test

options=(-n 2 --dist loadfile --no-loadscope-reorder)
if [ "${1:-}" = --fast ]; then
  shift
  for slow in scripts model_garden colab callbacks test_packaging.py \
    noise/test_{bad_input,command,float16,plots,report,rows,sampling}.py \
    noise/test_{squared_sum_fits,suggestions,unchanged}.py \
    optimizers/test_{backends,compilation,defaults,heavy_tails}.py \
    optimizers/test_{loss_scales,monitor,nonfinite,overrides,pairing}.py \
    optimizers/test_{precision,replicas,resuming,saved_variables}.py \
    optimizers/test_{sharding,skipped_steps,sparse,state,thresholds}.py \
    optimizers/test_{training,update_counts,workers,zero_and_empty}.py; do
    options+=("--ignore=tests/$slow")
  done
fi
# Without paths or options of pytest's all is run in two parts. What XLA has
# compiled stays in memory as long as a process does: of both parts, gigabytes.
parts=("tests --ignore=tests/optimizers" tests/optimizers)
if [ $# -gt 0 ]; then
  parts=("")
fi
status=0
for paths in "${parts[@]}"; do
  # shellcheck disable=SC2086 # They are words.
  python -m pytest "${options[@]}" $paths "$@" || status=$?
done
ruff check . || status=$?
ruff format --check . || status=$?
exit "$status"
