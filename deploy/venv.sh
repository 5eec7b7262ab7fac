#!/bin/sh
# Creates the virtual environment $1 with $PYTHON, or the first suitable Python on PATH.
set -eu
venv=$1

fits() { # TensorFlow, which trains the models, has no packages for other versions.
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

fits "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1 && exit 0

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3 python3.13 python3.12 python3.11 python
fi
found=
for python; do
    fits "$python" && found=yes && break
done
if [ -z "$found" ]; then
    echo "Mien needs Python 3.11, 3.12 or 3.13, and ${PYTHON:-python3} is not one of them." >&2
    echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name one:" >&2
    echo "    make run PYTHON=/path/to/python3.12" >&2
    exit 1
fi

echo "Making the virtual environment $venv with $("$python" --version) ..."
"$python" -m venv --clear "$venv" >/dev/null 2>&1 && exit 0

# Debian ships Python without the part of venv that installs pip. The system's pip or
# virtualenv work too.
"$python" -m venv --clear --without-pip "$venv" >/dev/null 2>&1 &&
    "$python" -m pip --python "$venv/bin/python" install --quiet pip 2>/dev/null && exit 0
"$python" -m virtualenv --quiet --clear "$venv" 2>/dev/null && exit 0

rm -rf "$venv"
echo "This Python has neither a complete venv module nor pip, so nothing can be installed." >&2
echo "Add it (Debian, Ubuntu: apt install python3-venv) and try again." >&2
exit 1
