#!/usr/bin/env bash
# The whole path in one command: from the text that every Python installation
# carries to a pretrained BERT and answered questions, with Adam and ACClip.
# Makes its own environment first. A second start reuses what is done; --fresh
# starts over. Other options go to scripts/demo/run.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh model-garden,plots
if [ "${1:-}" = --fresh ]; then
  shift
  rm -rf runs/demo
fi
exec python scripts/demo/run.py "$@"
