#!/bin/sh
# Makes a project of a template as `tierd plugin new` does, for tests of the templates without the program.
#   new.sh rust|js|python|c NAME FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lang=$1 name=$2 folder=$3
mkdir -p "$(dirname "$folder")"
cp -R "$here/$lang" "$folder"
mkdir "$folder/wit"
cp -R "$here/../wit/v1" "$folder/wit/v1"
case $lang in
    rust) cp -R "$here/../sdk" "$folder/sdk" ;;
    c) cp -R "$here/../c" "$folder/sdk" ;;
esac
grep -rlZ '{{name}}' "$folder" | xargs -0 sed -i "s/{{name}}/$name/g"
