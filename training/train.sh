#!/bin/sh
# The whole run: training/train.sh PROGRAM OUT, where PROGRAM is the built pawsight. One thread, about an hour and a half.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
exec python3 "$here/train.py" --program "$1" scenes --out "$2"
