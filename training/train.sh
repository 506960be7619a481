#!/bin/sh
# The whole run: training/train.sh PROGRAM OUT [--resume], where PROGRAM is the built pawsight. One thread, 80 minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
program=$1
run=$2
shift 2
exec python3 "$here/train.py" --program "$program" scenes --out "$run" "$@"
