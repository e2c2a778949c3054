#!/bin/sh
# Is all there that a start needs? The same as `vigia check`; see `vigia check --help`.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=${VIGIA_VENV:-$here/.venv}
python=$venv/bin/python
if [ ! -x "$python" ]; then
    echo "verify_monitor.sh: there is no environment in $venv yet; start it once: python3 $here/scripts/start_with_monitor.py" >&2
    exit 2
fi
cd "$here"
exec "$python" -P -m monitor check "$@"
