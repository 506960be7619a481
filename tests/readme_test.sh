#!/usr/bin/env bash
# tests/readme_test.sh PAWSIGHT README gateway|worker: pastes what README shows into a shell, exactly as it stands there,
# in an empty home: gateway, the walk "A gateway for cameras", and wants the alert it promises; worker, the three ways to
# ask it under "Serve it", and wants an answer from each. Small programs stand before the real ones in PATH, so that no
# port is fixed: the server listens on any free one, and who asks README's port goes there.
set -euo pipefail
program=$(realpath "$1")
readme=$(realpath "$2")
part=$3

curl=$(command -v curl || true)
if [[ -z $curl ]] || ! /usr/bin/python3 -c 'import grpc, google.protobuf'; then
  echo "there is no curl, or no python3-grpcio for /usr/bin/python3 (packaging/apt/test.txt)"
  exit 1
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/pawsight-readme-XXXXXX")
finish() {
  if [[ -s $scratch/pid ]]; then  # a grandchild, so there is no wait for it
    local pid tries=0
    pid=$(cat "$scratch/pid")
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null && ((tries++ < 1200)); do sleep 0.05; done
  fi
  rm -rf "$scratch" || true
}
trap finish EXIT

# block HEADING N FIRST: README's Nth block of code under the heading, the first line of its fence being FIRST.
block() {
  awk -v heading="## $1" -v wanted="$2" '
    /^## / { here = ($0 == heading) }
    here && /^```/ { inside = !inside; if (inside) number++; next }
    here && inside && number == wanted' "$readme" >"$scratch/block"
  [[ $(wc -l <"$scratch/block") -ge $3 ]] || {
    echo "README has no block $2 of $3 lines under \"## $1\""
    exit 1
  }
  cat "$scratch/block"
}

# paste SHELL...: runs what comes, as README's reader would, and keeps what it says in out.
paste() {
  env -u XDG_DATA_HOME HOME="$scratch/home" TMPDIR="$scratch" PATH="$scratch/bin:$PATH" "$@" >"$scratch/out" 2>&1 || true
}

failed() {
  echo "$1; what it said, and the server's log:"
  cat "$scratch/out" "$scratch/log"
  exit 1
}

# port OF: where README's server listens in truth.
cat >"$scratch/port" <<END
#!/bin/bash
case \$1 in
  8080) sed -n 's|^The gateway is at http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$scratch/said" ;;
  8000) grep -o 'http://127.0.0.1:[0-9]*' "$scratch/log" | head -1 | grep -o '[0-9]*$' ;;
  8001) grep -o 'grpc://127.0.0.1:[0-9]*' "$scratch/log" | head -1 | grep -o '[0-9]*$' ;;
esac 2>/dev/null
END
mkdir -p "$scratch/bin" "$scratch/home"
ln -s /usr/bin/python3 "$scratch/bin/python3"  # that of the packages that README names
cat >"$scratch/bin/pawsight" <<END
#!/bin/bash
case \$1 in
  gateway) listen=(--listen 127.0.0.1:0) ;;
  worker) listen=(--listen-http 127.0.0.1:0 --listen-grpc 127.0.0.1:0 --listen-metrics '') ;;
  *) exec "$program" "\$@" ;;
esac
echo \$\$ >"$scratch/pid"
exec "$program" "\$@" "\${listen[@]}" >"$scratch/said" 2>"$scratch/log"
END
cat >"$scratch/bin/curl" <<END
#!/bin/bash
for readmes in 8080 8000; do
  port=\$("$scratch/port" \$readmes)
  [[ -z \$port ]] || exec $curl "\${@//127.0.0.1:\$readmes/127.0.0.1:\$port}"
done
exit 7  # as when nobody listens yet
END
chmod +x "$scratch/port" "$scratch/bin/pawsight" "$scratch/bin/curl"
cd "$scratch/home"

case $part in
gateway)
  block "A gateway for cameras" 1 10 >"$scratch/walk"
  paste bash <"$scratch/walk"
  alert=$(tail -n 1 "$scratch/out")
  for want in '"question":"Is there a dog?"' '"state":"firing"' '"camera":"cam_'; do
    [[ $alert == *"$want"* ]] || failed "the walk's last answer has no $want"
  done
  if grep -qE '"status":[45][0-9][0-9]' "$scratch/out"; then failed "an answer is a problem"; fi
  echo "README's walk: $(wc -l <"$scratch/walk") lines, and the alert came"
  ;;
worker)
  "$program" scenes draw --out rooms --count 1 >/dev/null
  mv rooms/*.jpg photo.jpg
  ln -s "$(dirname "$readme")/src" src
  block "Serve it" 1 5 >"$scratch/curl"
  paste bash <"$scratch/curl"
  [[ $(tail -n 1 "$scratch/out") == *'"p_yes"'*'"data":[0.'* ]] || failed "curl got no probability"
  block "Serve it" 2 10 | sed "s/127.0.0.1:8000/127.0.0.1:$("$scratch/port" 8000)/" >"$scratch/http.py"
  paste python3 - <"$scratch/http.py"
  grep -qE '^p_yes \[[01]\.[0-9]+, [01]\.[0-9]+\]$' "$scratch/out" || failed "Python got no two probabilities"
  block "Serve it" 3 8 | sed "s/127.0.0.1:8001/127.0.0.1:$("$scratch/port" 8001)/" >"$scratch/grpc"
  paste bash <"$scratch/grpc"
  grep -qE "^\[b'(yes|no)', b'(yes|no)'\] \[[01]\.[0-9]+, [01]\.[0-9]+\]$" "$scratch/out" || failed "gRPC got no two answers"
  echo "README's three ways to ask a worker answer"
  ;;
*)
  echo "gateway or worker, not $part"
  exit 2
  ;;
esac
