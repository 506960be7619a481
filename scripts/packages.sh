# shellcheck shell=bash
# scripts/packages.sh: installs what is missing from packaging/apt/*.txt. Sourced by ./run and .ci/run, which define
# `say`, `die CODE MESSAGE` and $top (the checkout).
# Not here: what a package is for (the lists, docs/DEPENDENCIES.md).

: "${top:?set by the script that sources this file}"

# The entries of the named lists, one a line, comments dropped: "libx-dev" or "libx1-dev | libx-dev".
packages_listed() {
  local list
  for list in "$@"; do
    sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$top/packaging/apt/$list.txt"
  done | sort -u
}

# The entries of which no alternative is installed: one dpkg-query for all, a few milliseconds.
packages_missing() {
  local entries have entry name found
  entries=$(packages_listed "$@")
  # shellcheck disable=SC2086,SC2046  # package names hold no spaces
  have=" $(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' $(tr '|' ' ' <<<"$entries") 2>/dev/null |
    awk '$1 == "ii" { print $2 }' | tr '\n' ' ') "
  while read -r entry; do
    found=no
    for name in ${entry//|/ }; do
      [[ $have == *" $name "* ]] && found=yes
    done
    [[ $found == yes ]] || echo "$entry"
  done <<<"$entries"
}

# Debian 12 and 13 are known to carry every package of the lists.
distribution_is_known() {
  local file=${PAWSIGHT_OS_RELEASE:-/etc/os-release} id version
  [[ -r $file ]] || return 1
  # shellcheck source=/dev/null
  id=$(. "$file" && echo "${ID:-}")
  # shellcheck source=/dev/null
  version=$(. "$file" && echo "${VERSION_ID:-}")
  [[ $id == debian && ($version == 12 || $version == 13) ]]
}

# Runs apt-get as root. Never asks a question when nobody is there to answer.
as_root_apt() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@")
  if [[ $(id -u) == 0 ]]; then
    "${apt[@]}"
  elif [[ -t 0 ]]; then
    sudo "${apt[@]}"
  else
    sudo -n "${apt[@]}"
  fi
}

# For each entry of stdin the first alternative that apt knows; an entry apt does not know is printed as its last name.
packages_chosen() {
  local entry name
  while read -r entry; do
    for name in ${entry//|/ }; do
      apt-cache show --no-all-versions "$name" >/dev/null 2>&1 && break
    done
    echo "$name"
  done
}

# Turns apt-get's lines into one line of progress; $1 packages were asked for, their dependencies come on top.
apt_progress() {
  awk -v tty="$([[ -t 2 ]] && echo 1 || echo 0)" '
    /newly installed,/ { total = $3 + $1 }
    /^Need to get/ { sub(/^Need to get /, ""); sub(/ of archives.*/, ""); sub(/\//, " of "); printf "    download %s\n", $0; fflush() }
    /^(Unpacking|Setting up) / {
      done++
      percent = total > 0 ? int(50 * done / total) : 0
      if (percent > 100) percent = 100
      if (tty) printf "\r    %3d %%  %-60.60s", percent, $1 == "Setting" ? $3 : $2
      else if (percent >= shown + 20) { shown = percent - percent % 20; printf "    %3d %%\n", shown }
      fflush()
    }
    END { if (tty && done) printf "\r%70s\r", "" }' >&2
}

apt_install() {
  local log=$top/build/setup.log
  as_root_apt install -y --no-install-recommends "$@" 2>&1 | tee -a "$log" | apt_progress
  return "${PIPESTATUS[0]}"
}

# packages_ensure LIST...: installs what the lists name and the machine lacks, or leaves with 3 and says what to do.
packages_ensure() {
  [[ ${PAWSIGHT_SKIP_SETUP:-} == 1 ]] && return
  local missing names
  if command -v dpkg-query >/dev/null; then
    missing=$(packages_missing "$@")
  else
    missing=$(packages_listed "$@")
  fi
  [[ -n $missing ]] || return 0
  if ! distribution_is_known || ! command -v apt-get >/dev/null; then
    say "This is not Debian 12 or 13, and these packages (Debian's names; '|' means either) may be missing:"
    packages_listed "$@" >&2
    die 3 "install them, then: PAWSIGHT_SKIP_SETUP=1 ./run ..."
  fi
  mkdir -p "$top/build"
  : >"$top/build/setup.log"
  if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
    die 3 "packages are missing and this is neither root nor a machine with sudo. As root, run:
  apt-get update && apt-get install --no-install-recommends $(packages_chosen <<<"$missing" | tr '\n' ' ')"
  fi
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
    apt_update
  fi
  names=$(packages_chosen <<<"$missing")
  say "installing with apt: $(tr '\n' ' ' <<<"$names")"
  # Lists older than the mirror name versions that are gone: update once, then try again.
  # shellcheck disable=SC2086  # package names hold no spaces
  if ! apt_install $names; then
    apt_update
    names=$(packages_chosen <<<"$missing")
    apt_install $names || {
      tail -n 15 "$top/build/setup.log" >&2
      die 3 "apt could not install the packages above; the whole log is build/setup.log. Is there a network, a mirror in
/etc/apt and room on the disk?"
    }
  fi
  missing=$(packages_missing "$@")
  [[ -z $missing ]] || die 3 "apt said yes, but these are still missing: $(tr '\n' ' ' <<<"$missing")"
}

apt_update() {
  say "reading the package lists"
  as_root_apt update -q >>"$top/build/setup.log" 2>&1 || {
    tail -n 15 "$top/build/setup.log" >&2
    die 3 "apt-get update failed; the whole log is build/setup.log. Is there a network and a mirror in /etc/apt?"
  }
}
