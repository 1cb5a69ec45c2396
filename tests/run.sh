#!/bin/bash
# Installs what the tests need and runs them all.
set -eu
cd "$(dirname "$0")/.."

tests/setup.sh
exec cargo test "$@"
