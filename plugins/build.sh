#!/bin/sh
# Builds first-party plugins from their sources into dist/.
#
#   build.sh [NAME…]        clv credit hotel-path offers scorecard standing; without names all of them
#
# Whatever is missing is installed: Rust's target by rustup, or, where that can't be had, Debian's rustc-web; clang-19 and wasi-libc for C;
# the versions in package-lock.json for JavaScript and in requirements.txt for Python. TIERD_RUST=debian takes Debian's in any case.
set -eu
cd "$(dirname "$0")"
mkdir -p dist

main() {
    [ $# -gt 0 ] || set -- clv credit hotel-path offers scorecard standing
    for name; do
        case $name in
            clv | offers | standing) rust "$name" ;;
            credit) c "$name" ;;
            hotel-path) javascript "$name" ;;
            scorecard) python "$name" ;;
            *) echo "build.sh: there is no plugin $name" >&2 && exit 2 ;;
        esac
        echo "dist/$name.wasm: $(wc -c <"dist/$name.wasm") bytes"
    done
}

# Packages of Debian, those that aren't there.
debian() {
    missing=$(for package; do dpkg -s "$package" >/dev/null 2>&1 || echo "$package"; done)
    [ -n "$missing" ] || return 0
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    # shellcheck disable=SC2086 # one word per package is what is wanted
    $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

has_rust_target() {
    [ -d "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/wasm32-unknown-unknown" ]
}

rust() {
    # Where sources lie on the machine that builds is nobody's business; it would stand in the messages of panics.
    RUSTFLAGS="-C link-arg=--initial-memory=2097152 --remap-path-prefix=$PWD=plugins --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
    target=${CARGO_TARGET_DIR:-target}
    if [ "${TIERD_RUST:-}" != debian ] && { has_rust_target || timeout 300 rustup target add wasm32-unknown-unknown >/dev/null 2>&1; }; then
        RUSTFLAGS=$RUSTFLAGS cargo build --quiet --locked --release --target wasm32-unknown-unknown -p "$1"
    else
        debian rustc-web cargo-web rust-web-src rust-web-llvm lld-19
        target=$target/debian
        # Debian has the sources of the standard library rather than the library built for this target.
        RUSTFLAGS=$RUSTFLAGS RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19 CARGO_TARGET_DIR=$target \
            /usr/bin/cargo build --quiet --locked --release --target wasm32-unknown-unknown -Z build-std=std,panic_abort -p "$1"
    fi
    cp "$target/wasm32-unknown-unknown/release/$(echo "$1" | tr - _).wasm" "dist/$1.wasm"
}

# The bindings in c/ are generated from the contract; where the generator is there, that is proved.
bindings_are_current() {
    command -v wit-bindgen >/dev/null || return 0
    fresh=$(mktemp -d)
    wit-bindgen c --world scorer-plugin --out-dir "$fresh" wit/v1 >/dev/null
    for file in "$fresh"/*; do cmp "$file" "c/$(basename "$file")"; done
    rm -r "$fresh"
}

c() {
    debian clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32
    bindings_are_current
    clang-19 --target=wasm32-wasi --sysroot=/ -isystem /usr/include/wasm32-wasi -mexec-model=reactor \
        -std=c11 -Wall -Wextra -Werror -Wno-unused-parameter -O3 -flto -Wl,--strip-all -I c -o "dist/$1.wasm" \
        "$1"/plugin.c "$1"/score.c c/scorer_plugin.c c/scorer_plugin_component_type.o
}

javascript() {
    (cd "$1" && { [ -d node_modules ] || npm ci --silent --no-audit --no-fund; } && npm run --silent build >/dev/null)
}

python() {
    [ -x "$1/.venv/bin/componentize-py" ] || {
        python3 -m venv "$1/.venv"
        "$1/.venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$1/requirements.txt"
    }
    (cd "$1" && .venv/bin/componentize-py -d ../wit/v1 -w scorer-plugin componentize --stub-wasi plugin -o "../dist/$1.wasm" >/dev/null)
}

main "$@"
