;; Says in 60 MB why it failed.
;; expect: call output
;; memory_mb: 128
(module
  {{prelude}}
  ({{score}}
    (drop (memory.grow (i32.const 1000)))
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 60000000))
    (call $fail (i32.const 65536) (i32.const 60000000))))
