#!/bin/sh
# The template's "On-start Script" at Vast.ai, or a part of it. Fill in where the release lies and its checksum (as in the
# SHA256SUMS beside it), or set them as environment variables of the template. Vast.ai calls it at every start of the
# instance, whose disk stays: what was measured is not measured again. It returns at once; the rest is in the log.
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
  # shellcheck disable=SC2086 # several words
  "$release/gpuassay" --data-dir /var/lib/gpuassay run --once instance ${GPUASSAY_RUN_ARGS:-}
) >>/var/log/gpuassay.log 2>&1 </dev/null &
