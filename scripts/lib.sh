# Sourced by the scripts beside it, never run: strict mode, the repository root, one way to fail.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# For checks: what cannot be looked at here is no failure; CTest counts 77 as skipped.
skip() {
  echo "SKIPPED: $*"
  exit 77
}

# Where setup put Boost's headers from PyPI; empty when the distribution's are used.
boost_include() {
  local header
  for header in "$ROOT"/.venv/lib/python3*/site-packages/cmeel.prefix/include/boost/version.hpp; do
    [[ ! -e $header ]] || echo "${header%/boost/version.hpp}"
  done
}

# The agent finds a oneDNN that setup took from PyPI through this variable; call it after setup.
use_own_onednn() {
  [[ ! -e $ROOT/.venv/lib/libdnnl.so.2 ]] ||
    export GPUASSAY_LIBRARY_PATH="$ROOT/.venv/lib${GPUASSAY_LIBRARY_PATH:+:$GPUASSAY_LIBRARY_PATH}"
}

# The mirror that apt uses here, when it is one of Debian's; else empty, for debootstrap's own default.
debian_mirror() {
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian|Debian|//p' | head -1
}

# make_debian SUITE FOLDER [PACKAGE,PACKAGE...]: a minimal Debian with these packages besides, unless it is there already.
make_debian() {
  local suite=$1 folder=$2 mirror
  command -v debootstrap >/dev/null || skip "debootstrap is not installed (./scripts/setup test installs it)"
  mkdir -p "$(dirname "$folder")"
  exec 8>"$folder.lock"  # several checks may want it at once
  flock 8
  if [[ ! -x $folder/bin/bash ]]; then
    rm -rf "$folder.partial"
    mkdir -p "$folder.partial"
    mirror=$(debian_mirror)
    debootstrap --variant=minbase ${3:+"--include=$3"} "$suite" "$folder.partial" ${mirror:+"$mirror"} >"$folder.log" 2>&1 8>&- ||
      skip "debootstrap could not make a Debian ($suite): $(tail -1 "$folder.log")"
    mv "$folder.partial" "$folder"
  fi
  exec 8>&-
}

# The version of a clang that has libFuzzer; empty when there is none. clang 14 is the first that compiles our coroutines.
fuzz_clang() {
  local version
  for version in 18 17 16 15 14; do
    [[ ! -e $(clang++-$version -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer-x86_64.a ]] || { echo $version && return; }
  done
}
