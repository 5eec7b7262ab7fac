#!/bin/sh
# Runs npm: the system's if it works with Node 18 or newer, or else PyPI's.
set -eu

if npm --version >/dev/null 2>&1 &&
    node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' >/dev/null 2>&1; then
    exec npm "$@"
fi
if ! [ -x .venv/bin/npm ]; then
    echo "No npm on Node 18 or newer here: installing Node into .venv ..."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r deploy/node.txt
fi
PATH=$PWD/.venv/bin:$PATH exec .venv/bin/python .venv/bin/npm "$@"
