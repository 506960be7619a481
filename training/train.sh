#!/bin/sh
# The whole run: training/train.sh PROGRAM PACK TEACHER OUT [--resume] [...], where PROGRAM is the built pawsight, PACK the training pack
# of photos, TEACHER the detector (YOLOX-nano, ONNX) and OUT a folder. What OUT/pool lacks is made first. One thread; the rest of the
# arguments go to train.py, e.g. --start MODEL to begin with a model's weights, --beside to use idle cores too.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000  # a step frees and takes the same gigabyte: kept, it is 8 % faster
[ $# -ge 4 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
program=$1 pack=$2 teacher=$3 out=$4
shift 4
[ -e "$out/pool/index.pickle" ] || /usr/bin/python3 "$here/photo_pool.py" "$pack" "$out/pool" --teacher "$teacher"
exec /usr/bin/python3 "$here/train.py" --program "$program" scenes --pack "$pack" --pool "$out/pool" --out "$out" "$@"
