# Sourced by demo.sh and test.sh: makes the virtual environment they run in.
#
#   . scripts/environment.sh EXTRAS
#
# installs this package, editable, with those extras of setup.cfg, and puts the
# environment's Python first in PATH. What is installed already is left alone
# until setup.cfg changes. Set PYTHON to choose the Python (3.11, 3.12 or 3.13),
# VENV to choose where the environment is (.venv by default). Relative paths are
# those from the root of the repository.

extras=$1
venv=${VENV:-.venv}
case $venv in
  # What runs elsewhere finds the environment in PATH too.
  [!/]*) venv=$PWD/$venv ;;
esac

supported() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
    2>/dev/null
}

if [ ! -x "$venv/bin/python" ]; then
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if supported "$candidate"; then
      found=$candidate
      break
    fi
  done
  if [ -z "${found:-}" ]; then
    echo "Python 3.11, 3.12 or 3.13 is needed: set PYTHON to one." \
      "Received: PYTHON=${PYTHON:-python3}" >&2
    exit 2
  fi
  echo "Making the environment $venv"
  "$found" -m venv "$venv"
fi

# An editable installation is of one clone: that of another would be replaced.
clone=$(cat "$venv/keras_clip-clone" 2>/dev/null || true)
if [ "${clone:-$PWD}" != "$PWD" ]; then
  echo "VENV must be an environment of this clone, or not be there. Received:" \
    "VENV=$venv, which is that of $clone" >&2
  exit 2
fi
echo "$PWD" >"$venv/keras_clip-clone"

stamp=$venv/installed-$(printf '%s\n' "$extras" | cat - setup.cfg | cksum |
  cut -d ' ' -f 1)
if [ ! -e "$stamp" ]; then
  echo "Installing keras_clip[$extras], about 3 GB the first time"
  "$venv/bin/pip" install -qq --disable-pip-version-check \
    --editable ".[$extras]"
  touch "$stamp"
fi
PATH=$venv/bin:$PATH
