# Sourced by the scripts beside it, never run: strict mode, the repository root, one way to fail.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
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

# The version of a clang that has libFuzzer; empty when there is none. clang 14 is the first that compiles our coroutines.
fuzz_clang() {
  local version
  for version in 18 17 16 15 14; do
    [[ ! -e $(clang++-$version -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer-x86_64.a ]] || { echo $version && return; }
  done
}
