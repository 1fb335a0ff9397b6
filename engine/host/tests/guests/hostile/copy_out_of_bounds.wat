;; Copies from behind its memory.
;; expect: call trap
(module
  {{prelude}}
  ({{score}}
    (memory.copy (i32.const 0) (i32.const 2147483640) (i32.const 100))
    unreachable))
