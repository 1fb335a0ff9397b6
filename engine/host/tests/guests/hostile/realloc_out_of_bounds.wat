;; Has room for what it is given behind its memory.
;; expect: call output
(module
  {{memory}} {{describe}}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 2147483640))
  ({{score}}
    unreachable))
