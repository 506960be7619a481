#!/usr/bin/env bash
# tests/setup_test.sh: what ./run does on machines unlike this one. A copy of ./run and its lists runs with a PATH of its
# own, in which dpkg-query, apt-get, apt-cache, sudo, id and cmake are a few lines that answer as such a machine would
# and write down how they were called.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

tool() {
  printf '#!/bin/bash\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# A Debian 12 with apt, root, and everything installed but $missing; each test changes what it is about.
new_machine() {
  rm -rf "${work:?}"/*
  mkdir -p "$work/bin" "$work/checkout"
  cp -r "$top/run" "$top/scripts" "$top/packaging" "$top/CMakePresets.json" "$work/checkout/"
  local name
  for name in bash sed sort tr awk tee mkdir cat tail env dirname nproc grep rm; do
    ln -s "$(command -v "$name")" "$work/bin/$name"
  done
  printf 'ID=debian\nVERSION_ID="12"\n' >"$work/os-release"
  echo "$1" >"$work/missing"
  tool dpkg-query "for name in \"\${@:3}\"; do grep -qx -- \"\$name\" $work/missing || echo \"ii \$name\"; done"
  tool apt-cache "case \${!#} in *-json-dev) exit 100;; esac"
  tool apt-get "echo \"apt-get \$*\" >>$work/calls; [[ \$* != *' install '* ]] || : >$work/missing"
  tool id "echo 0"
  tool cmake "echo \"cmake \$*\" >>$work/calls"
  : >"$work/calls"
}

# run_here ARGUMENT...: leaves the exit code in $code and what was said in $work/said.
run_here() {
  code=0
  env -i HOME="$work" PATH="$work/bin" PAWSIGHT_OS_RELEASE="$work/os-release" "$work/checkout/run" "$@" \
    >"$work/said" 2>&1 </dev/null || code=$?
}

expect() {
  local what=$1
  shift
  if "$@"; then return; fi
  echo "FAILED: $test_name: $what"
  sed 's/^/    /' "$work/said" "$work/calls"
  failures=$((failures + 1))
}
said() { grep -q -- "$1" "$work/said"; }
called() { grep -q -- "$1" "$work/calls"; }
not_called() { ! called "$1"; }
exits() { [[ $code == "$1" ]]; }

test_name="with everything installed apt is not touched"
new_machine ""
run_here build
expect "exit 0" exits 0
expect "no apt-get" not_called apt-get
expect "it builds" called "cmake --build build/release"

test_name="only what is missing is installed, under the name this distribution has"
new_machine $'libpng-dev\nlibboost-json1.81-dev\nlibboost-json-dev'
run_here build
expect "exit 0" exits 0
expect "the two packages" called "install -y --no-install-recommends libboost-json1.81-dev libpng-dev$"

test_name="lists older than the mirror are read again, once"
new_machine libpng-dev
tool apt-get "echo \"apt-get \$*\" >>$work/calls
  [[ \$* == *' update'* ]] && { : >$work/updated; exit 0; }
  [[ -e $work/updated ]] || { echo 'E: 404'; exit 100; }
  : >$work/missing"
run_here build
expect "exit 0" exits 0
expect "an update" called " update"

test_name="without a network it says so and leaves with 3"
new_machine libpng-dev
tool apt-get "echo 'E: Could not resolve host'; exit 100"
run_here build
expect "exit 3" exits 3
expect "apt's own words" said "Could not resolve host"
expect "what to look at" said "Is there a network"

test_name="an unknown distribution gets the list and 3, and its apt is left alone"
new_machine libpng-dev
printf 'ID=fedora\nVERSION_ID=40\n' >"$work/os-release"
run_here build
expect "exit 3" exits 3
expect "the list" said "libcairo2-dev"
expect "how to go on" said PAWSIGHT_SKIP_SETUP=1
expect "no apt-get" not_called apt-get

test_name="without root and sudo the command for root is printed"
new_machine libpng-dev
tool id "echo 1000"
run_here build
expect "exit 3" exits 3
expect "the command" said "apt-get install --no-install-recommends libpng-dev"
expect "no apt-get" not_called apt-get

test_name="a user with sudo and nobody at the terminal is never asked for a password"
new_machine libpng-dev
tool id "echo 1000"
tool sudo "echo \"sudo \$*\" >>$work/calls; while [[ \$1 == -* ]]; do shift; done; \"\$@\""
run_here build
expect "exit 0" exits 0
expect "sudo -n" called "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get"

test_name="a word that is no command is a usage error"
new_machine ""
run_here frobnicate
expect "exit 2" exits 2
expect "it is named" said "no command called 'frobnicate'"
run_here help
expect "help is exit 0" exits 0

((failures == 0)) || exit 1
echo "all passed"
