#!/bin/bash
# Installs what the tests need and runs them all.
set -eu
cd "$(dirname "$0")/.."

tests/setup.sh tests
# The tests send signals. A caller (nohup, some CI) may have set them to be ignored.
exec env --default-signal cargo test --locked "$@"
