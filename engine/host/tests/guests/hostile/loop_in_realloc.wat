;; Loops for ever when it is asked for memory.
;; expect: call timeout
;; time_ms: 200
(module
  {{memory}} {{describe}}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (loop $again (br $again))
    unreachable)
  ({{score}}
    unreachable))
