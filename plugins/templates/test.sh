#!/bin/sh
# Makes a plugin of each template, and builds and tries it by the commands of its own README, as whoever begins one does. All are the same
# scorer, so all must give the same.
#   test.sh TIERD FOLDER [rust|js|python|c …]
# What the READMEs ask for is installed. Rust's target comes from rustup, or where that can't be had (or with TIERD_RUST=debian) from Debian, as its README
# says.
set -eu
tierd=$(realpath "$1")
folder=$2
shift 2
[ $# -gt 0 ] || set -- rust js python c
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
# READMEs call it `tierd`.
PATH=$(dirname "$tierd"):$PATH

# The n-th block of commands of a section.
commands() { # SECTION N
    awk -v section="## $1" -v wanted="$2" '
        /^## / { here = $0 == section }
        /^```/ { inside = here && /^```sh/ && ++seen == wanted; next }
        inside' README.md
}

# By which of its README's blocks a plugin is built.
way() { # LANGUAGE
    if [ "$1" = rust ] && { [ "${TIERD_RUST:-}" = debian ] || ! timeout 300 rustup target add wasm32-unknown-unknown >/dev/null 2>&1; }; then echo 2; else echo 1; fi
}

for language; do
    echo "== $language"
    "$tierd" plugin new --lang "$language" "my_$language"
    cd "my_$language"
    commands Build "$(way "$language")" >build.sh
    commands "Try and use" 1 >try.sh
    sh -eux ./build.sh
    sh -eux ./try.sh
    cd ..
    "$tierd" plugin run "my_$language/my_$language.wasm" --function score --input "my_$language/example.csv" --output csv >"$language.csv"
    cmp "$1.csv" "$language.csv"
done
[ "$(wc -l <"$1.csv")" -gt 2 ]
echo "templates: $* are built, and give the same"
