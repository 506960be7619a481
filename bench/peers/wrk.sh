#!/usr/bin/env bash
# bench/peers/wrk.sh PAWSIGHT [ROUNDS]: does `pawsight stress` measure what others do? One worker with pawsight-mini, asked by wrk and by
# pawsight stress in turns, four requests under way, 8 s each. Wants wrk (apt install wrk).
set -euo pipefail
[[ $# -ge 1 ]] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
command -v wrk >/dev/null || { echo 'wrk is not installed: apt install wrk' >&2; exit 3; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pawsight=$1 rounds=${2:-3} scratch=$(mktemp -d)
"$pawsight" worker --listen-http 127.0.0.1:0 --listen-grpc 127.0.0.1:0 --listen-metrics "" --precision int8 --teams 2 --threads 1 2>"$scratch/log" &
worker=$!
trap 'kill $worker; wait $worker 2>/dev/null || true; rm -rf "$scratch"' EXIT
"$pawsight" scenes draw --out "$scratch/frames" --count 1 --width 640 >/dev/null
rm "$scratch"/frames/*.json
photo=("$scratch"/frames/*)
truncate -s %3 "${photo[0]}" # whole groups of base64: what follows a photo's end is passed over
base64 -w0 "${photo[0]}" >"$scratch/photo"
printf 'Is there a dog?\nIs there a cat?\nIs there a person?\n' >"$scratch/questions"
url=
while [[ -z $url ]]; do
  kill -0 $worker || { cat "$scratch/log" >&2; exit 1; }
  sleep 0.2
  url=$(grep -o 'http://127.0.0.1:[0-9]*' "$scratch/log" | head -1 || true)
done
for ((round = 1; round <= rounds; round++)); do
  printf 'wrk              '
  PHOTO_BASE64=$scratch/photo wrk -t1 -c4 -d8s -s "$here/wrk.lua" --latency "$url" | grep 'frames/s'
  printf 'pawsight stress  '
  "$pawsight" stress "$url" --grid client=4 --frames "$scratch/frames" --questions "$scratch/questions" --duration 8s --warmup 1s \
    --no-check --out "$scratch/$round" 2>/dev/null |
    awk 'NR == 2 {printf "%s frames/s, p50 %s ms, p99 %s ms, %s refused\n", $3, $4, $6, $9}'
done
