#!/bin/sh
# What run.sh has cargo call in the place of rustc: builds with libFuzzer's counters what a plugin's file goes through, and everything
# else as it always is. Counters in Cranelift would make a round take ten times as long, to look for ways through a compiler that is fuzzed
# where it is made. What runs while building, macros for one, is built without `--target`, and can't have them.
case " $* " in
    *" --target "*)
        case " $* " in
            *" --crate-name tierd_host "* | *" --crate-name tierd_host_fuzz "* | *" --crate-name bytes "* | *" --crate-name plugins "* | \
                *" --crate-name wasmparser "* | *" --crate-name wit_parser "* | *" --crate-name wit_component "* | \
                *" --crate-name wasmtime "* | *" --crate-name wasmtime_environ "*)
                exec "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
                ;;
        esac
        ;;
esac
exec "$@"
