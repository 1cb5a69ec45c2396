#!/bin/bash
# Installs what the tests need and runs them all.
set -eu
cd "$(dirname "$0")/.."

tests/setup.sh tests
source tests/setup/rust.sh
use_cargo
# Most tests wait for other processes most of the time, so there are more of them at once than processors.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((10 * $(nproc)))}
# The tests send signals. A caller (nohup, some CI) may have set them to be ignored.
exec env --default-signal cargo test --locked "$@"
