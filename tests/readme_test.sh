#!/usr/bin/env bash
# tests/readme_test.sh PAWSIGHT README: pastes README's walk "A gateway for cameras" into a shell, exactly as it stands
# there, in an empty home, and wants the alert it promises. Two small programs stand before the real ones in PATH, so
# that no port is fixed: the gateway listens on any free one, and curl goes there where README says 8080.
set -euo pipefail
program=$(realpath "$1")
readme=$(realpath "$2")

curl=$(command -v curl) || {
  echo "there is no curl (packaging/apt/test.txt)"
  exit 1
}

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

mkdir -p "$scratch/bin" "$scratch/home"
cat >"$scratch/bin/pawsight" <<END
#!/bin/bash
[[ \$1 == gateway ]] || exec "$program" "\$@"
echo \$\$ >"$scratch/pid"
exec "$program" "\$@" --listen 127.0.0.1:0 >"$scratch/said" 2>"$scratch/log"
END
cat >"$scratch/bin/curl" <<END
#!/bin/bash
port=\$(sed -n 's|^The gateway is at http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$scratch/said" 2>/dev/null)
[[ -n \$port ]] || exit 7  # as when nobody listens yet
exec $curl "\${@//127.0.0.1:8080/127.0.0.1:\$port}"
END
chmod +x "$scratch/bin/pawsight" "$scratch/bin/curl"

awk '/^## / { here = ($0 == "## A gateway for cameras") } here && /^```/ { if (inside) exit; inside = 1; next } here && inside' \
  "$readme" >"$scratch/walk"
[[ $(wc -l <"$scratch/walk") -ge 10 ]] || {
  echo "README has no walk under \"## A gateway for cameras\""
  exit 1
}

cd "$scratch/home"
env -u XDG_DATA_HOME HOME="$scratch/home" PATH="$scratch/bin:$PATH" bash <"$scratch/walk" >"$scratch/out" 2>&1 || true
alert=$(tail -n 1 "$scratch/out")
for want in '"question":"Is there a dog?"' '"state":"firing"' '"camera":"cam_'; do
  [[ $alert == *"$want"* ]] && continue
  echo "the walk's last answer has no $want; what it said, and the gateway's log:"
  cat "$scratch/out" "$scratch/log"
  exit 1
done
if grep -qE '"status":[45][0-9][0-9]' "$scratch/out"; then
  echo "an answer is a problem:"
  cat "$scratch/out"
  exit 1
fi
echo "README's walk: $(wc -l <"$scratch/walk") lines, and the alert came"
