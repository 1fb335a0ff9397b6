#!/bin/sh
# Unit tests of the plugins that aren't written in Rust, on the machine itself: what is in their modules of plain C, JavaScript and Python.
# Rust's are run by `cargo test`. Needs a C compiler, Node.js and Python, and installs what is missing by apt-get.
set -eu
cd "$(dirname "$0")"

needs() { # PROGRAM PACKAGE
    command -v "$1" >/dev/null && return
    echo "test.sh: $1 isn't here: installing Debian's package $2"
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

needs cc gcc
needs node nodejs
needs python3 python3

echo "credit"
mkdir -p target
cc -std=c11 -Wall -Wextra -Werror -o target/credit-test credit/test.c credit/score.c -lm
target/credit-test

echo "hotel-path"
(cd hotel-path && node --test)

echo "scorecard"
(cd scorecard && python3 -m unittest)
