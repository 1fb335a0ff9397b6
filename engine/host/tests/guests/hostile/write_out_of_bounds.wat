;; Writes behind its memory.
;; expect: call trap
(module
  {{prelude}}
  ({{score}}
    (i64.store offset=4294967295 (i32.const 4294967295) (i64.const 1))
    unreachable))
