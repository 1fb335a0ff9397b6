;; Has room for what it is given at odd addresses.
;; expect: call output
(module
  {{memory}} {{describe}}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 8193))
  ({{score}}
    unreachable))
