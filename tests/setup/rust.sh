# Finds a cargo that is new enough. For `source`, in the top directory of the repository:
#
#     source tests/setup/rust.sh
#     use_cargo
#
# shellcheck shell=bash

# The oldest Rust that builds remoteexe.
rust_version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)

# is_new_enough VERSION: Debian's suffixes count for nothing.
is_new_enough() {
    [[ $1 == [0-9]* ]] && printf '%s\n' "$rust_version" "$1" | sort -VC
}

# Nothing where cargo is missing, or is that of a rustup without a toolchain.
cargo_version() {
    cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p'
}

# Makes `cargo` one that is new enough. If it is not, rustup may have put one into this user's home, or into that of the
# user who called sudo, which resets PATH. Then that user's toolchain is used, and nothing is written there: CARGO_HOME
# stays root's.
find_cargo() {
    ! is_new_enough "$(cargo_version)" || return 0
    local home
    for home in "${HOME-}" "$(getent passwd "${SUDO_USER:-nobody}" | cut -d: -f6)"; do
        if is_new_enough "$(RUSTUP_HOME=$home/.rustup PATH=$home/.cargo/bin:$PATH cargo_version)"; then
            export RUSTUP_HOME=$home/.rustup PATH=$home/.cargo/bin:$PATH
            return 0
        fi
    done
    return 1
}

# The same, and ends the script if there is none. A rustup that has no toolchain yet gets one.
use_cargo() {
    ! find_cargo || return 0
    if [[ -n $(command -v rustup) && $(rustup toolchain list 2>/dev/null) != *-* ]]; then
        rustup default stable
    fi
    find_cargo || rust_is_missing
}

# The first package of apt that brings such a cargo; nothing if none does. Beside rustup it could not be installed.
rust_package() {
    local package
    ! command -v rustup >/dev/null || return 0
    for package in cargo cargo-web; do
        if is_new_enough "$(candidate "$package")"; then
            echo "$package"
            return 0
        fi
    done
    if [[ $(candidate rustup) == [0-9]* ]]; then
        echo rustup
    fi
}

candidate() {
    LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: //p'
}

# Ends the script with what to do.
rust_is_missing() {
    local found
    found=$(cargo_version)
    {
        echo "$0: needs Rust $rust_version or later; cargo here: ${found:-none}"
        if command -v rustup >/dev/null; then
            echo "tip: rustup update stable && rustup default stable"
        else
            echo "tip: install it from https://rustup.rs"
        fi
    } >&2
    exit 1
}
