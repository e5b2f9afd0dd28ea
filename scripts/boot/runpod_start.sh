#!/bin/sh
# For RunPod: /pre_start.sh of an image made from RunPod's own, whose /start.sh calls it; or the template's "Container Start
# Command", with the real one behind it: sh /runpod_start.sh /start.sh. Fill in where the release lies and its checksum (as in
# the SHA256SUMS beside it), or set them as environment variables of the template. It waits for nothing; the log tells.
(
  set -eu
  url=${GPUASSAY_URL:-https://example.org/gpuassay-0.1.0-linux-x86_64.tar.gz}
  sha256=${GPUASSAY_SHA256:-0000000000000000000000000000000000000000000000000000000000000000}
  umask 022
  release=/opt/gpuassay/$sha256
  if [ ! -x "$release/gpuassay" ]; then
    mkdir -p /opt/gpuassay
    new=$(mktemp -d /opt/gpuassay/new.XXXXXX)
    trap 'rm -rf "$new"' EXIT
    for pause in 1 2 4 8 16 0; do
      if command -v curl >/dev/null; then
        curl -fsSL --max-time 300 -o "$new/tar.gz" "$url" && break
      else
        wget -q --tries=1 --timeout=60 -O "$new/tar.gz" "$url" && break
      fi
      sleep $pause
    done
    echo "$sha256  $new/tar.gz" | sha256sum --check --quiet
    mkdir "$new/release"
    tar -xzf "$new/tar.gz" -C "$new/release" --strip-components=1 --no-same-owner
    mv "$new/release" "$release"
  fi
  # Of a stopped Pod the volume alone stays, and a network volume is that of several Pods.
  data=/var/lib/gpuassay
  [ ! -d /workspace ] || data=/workspace/gpuassay/${RUNPOD_POD_ID:-pod}
  # shellcheck disable=SC2086 # several words
  "$release/gpuassay" --data-dir "$data" run --once instance ${GPUASSAY_RUN_ARGS:-}
) >>/var/log/gpuassay.log 2>&1 </dev/null &
[ $# = 0 ] || exec "$@"
