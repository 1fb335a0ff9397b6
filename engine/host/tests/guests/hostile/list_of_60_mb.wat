;; Gives 60 MB of values.
;; expect: call output
;; memory_mb: 128
(module
  {{prelude}}
  ({{score}}
    (drop (memory.grow (i32.const 1000)))
    (call $ok (i32.const 2) (i32.const 65536) (i32.const 7500000))))
