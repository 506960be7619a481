#!/usr/bin/env bash
# tests/fresh_machine.sh: does the README tell the truth to a stranger? In a minimal Debian 12 root made by debootstrap,
# from a clean clone of the last commit, runs `./run demo --once` and `./run test` and prints how long each took.
# The mirror is this machine's own, taken from its apt configuration. Kept between runs, outside the checkout, in
# ${XDG_CACHE_HOME:-$HOME/.cache}/pawsight: the minimal root as a tar file and the packages apt fetched.
# Everything runs in its own mount and process namespace, so nothing stays mounted or running, however this ends.
# With --fast the tests run as shipped only (`./run test --fast`): for .ci/run, which has had the sanitizers' already.
# Exit codes: 0 both commands passed. 1 one failed. 3 the stage could not run here, with a banner that says why;
# PAWSIGHT_FRESH_MACHINE=optional turns that 3 into 0.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pawsight
suite=bookworm
arch=$(dpkg --print-architecture 2>/dev/null || uname -m)
image=$cache/$suite-$arch.tar
objects=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ccache}
root=$cache/root
home=/src  # where, inside, the clone stands, with ../shared beside it

say() { printf '==> fresh machine: %s\n' "$*" >&2; }
die() {
  shift
  cannot_run "$*"
}
# shellcheck source=scripts/packages.sh
. "$top/scripts/packages.sh"

cannot_run() {
  {
    printf '\n%s\n' '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'
    printf '!!  THE FRESH-MACHINE STAGE DID NOT RUN: nobody knows whether a stranger can build this.\n'
    printf '!!  %s\n' "$@"
    printf '%s\n\n' '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'
  } >&2
  [[ ${PAWSIGHT_FRESH_MACHINE:-} == optional ]] && exit 0
  exit 3
}

# The first mirror of this machine's apt configuration that serves packages of a Debian release.
mirror() {
  # shellcheck disable=SC2016  # apt's own placeholders
  apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(SUITE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk '$NF == "main" && /\/debian\/? / { print $1; exit }'
}

# The minimal root, made once and kept as a tar file; a half-made one is never taken for a whole one.
make_image() {
  [[ -f $image ]] && return
  local from fresh=$cache/debootstrap.$$
  from=$(mirror)
  [[ -n $from ]] || cannot_run "no Debian mirror in this machine's apt configuration"
  say "making a minimal Debian root (once)"
  rm -rf "$fresh"
  if ! debootstrap --variant=minbase "$suite" "$fresh" "$from" >"$cache/debootstrap.log" 2>&1; then
    tail -n 5 "$cache/debootstrap.log" >&2
    rm -rf "$fresh"
    cannot_run "debootstrap failed (no network?); the log is $cache/debootstrap.log"
  fi
  rm -rf "$fresh"/var/cache/apt/archives/*.deb
  tar -C "$fresh" -cf "$image.$$" .
  mv "$image.$$" "$image"
  rm -rf "$fresh"
}

# What a person would have set up before cloning: a mirror, its keys, a proxy, name resolution, certificates.
copy_network_setup() {
  local path
  rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d
  for path in sources.list sources.list.d trusted.gpg trusted.gpg.d keyrings auth.conf auth.conf.d preferences.d; do
    [[ ! -e /etc/apt/$path ]] || cp -a "/etc/apt/$path" "$root/etc/apt/"
  done
  for path in /usr/share/keyrings /etc/ssl/certs /usr/share/ca-certificates /usr/local/share/ca-certificates; do
    [[ ! -d $path ]] || { mkdir -p "$root$path" && cp -a "$path/." "$root$path/"; }
  done
  apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/00host" || true
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

mount_root() {
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
  mkdir -p "$cache/archives/partial"
  mount --bind "$cache/archives" "$root/var/cache/apt/archives"
  # Objects that the same compiler made of the same lines here: what differs, or lacks a header there, is compiled there.
  mkdir -p "$objects" "$root/root/.cache/ccache"
  mount --bind "$objects" "$root/root/.cache/ccache"
  if [[ -d $top/../shared ]]; then
    mkdir -p "$root$home/shared"
    mount --bind "$top/../shared" "$root$home/shared"
    mount -o remount,bind,ro "$root$home/shared"
  else
    say "there is no ../shared beside this checkout: tests that want it will be skipped"
  fi
}

inside() {
  env -i HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PAWSIGHT_JOBS="${PAWSIGHT_JOBS:-}" chroot "$root" /bin/sh -c "cd $home/pawsight && $1"
}

# timed LABEL COMMAND
timed() {
  local started=$SECONDS
  say "$2"
  inside "$2" || {
    say "FAILED after $((SECONDS - started)) s: $2"
    exit 1
  }
  times+=("$1: $((SECONDS - started)) s")
}

# In a namespace of its own: what is mounted here is seen by nobody else and gone when this process ends.
in_namespace() {
  tar -C "$root" -xf "$image"
  copy_network_setup
  mount_root
  git -c safe.directory='*' clone -q --no-hardlinks "$top" "$root$home/pawsight"
  local times=() line
  timed "bare machine to first alert" "./run demo --once"
  timed "then the tests" "./run test$test_arguments"
  timed "then the demo again, nothing to set up" "./run demo --once"
  for line in "${times[@]}"; do say "$line"; done
}

child=
# The mounts are gone before anything is deleted: they live in the child's namespace only.
end_child() {
  if [[ -n $child ]]; then
    kill -KILL "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  rm -rf "$root"
}

outside() {
  [[ $(id -u) == 0 ]] || cannot_run "it needs root (a chroot and mounts)"
  command -v apt-get >/dev/null || cannot_run "it needs apt-get and this machine's mirror"
  unshare --mount --pid --fork true 2>/dev/null || cannot_run "this machine does not let root make a mount namespace"
  packages_ensure ci
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock -n 9 || cannot_run "another run of this stage holds $cache/lock"
  rm -rf "$root"
  mkdir -p "$root"
  make_image
  trap end_child EXIT
  trap 'exit 130' INT TERM
  say "commit $(git -c safe.directory='*' -C "$top" log -1 --format='%h %s')"
  [[ -z $(git -c safe.directory='*' -C "$top" status --porcelain) ]] ||
    say "the checkout has changes that are not committed; they are NOT tested here"
  unshare --mount --propagation private --pid --fork --kill-child "${BASH_SOURCE[0]}" --in-namespace "$1" 9>&- &
  child=$!
  wait "$child" || {
    local code=$?
    child=
    exit "$code"
  }
  child=
}

if [[ ${1:-} == --in-namespace ]]; then
  test_arguments=${2:-}
  in_namespace
elif [[ ${1:-} == --fast ]]; then
  outside " --fast"
else
  outside ""
fi
