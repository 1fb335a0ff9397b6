# For run.sh of an example, which has set `here` (its folder), `tierd` and `folder`, where a project now is: checks the rules, runs their cases,
# grades everybody, explains one customer, and compares what comes out with what is kept in expected/.
#   graded CUSTOMER
graded() {
    cd "$folder"
    "$tierd" check --deny-warnings
    "$tierd" test --min-coverage 100
    "$tierd" run --as-of 2026-06-30
    "$tierd" levels --output csv >levels.csv
    # The revision goes by every byte of rules and plugins, and another compiler may make others of the same sources.
    "$tierd" explain "$1" | sed 's/revision [0-9a-f]*/revision …/' >explain.txt
    example=examples/$(basename "$here")
    for file in levels.csv explain.txt; do
        diff -u "$here/expected/$file" "$file" || { echo "$example: $file isn't what is expected" >&2; exit 1; }
    done
    echo "$example: levels and explanation are as expected"
}
