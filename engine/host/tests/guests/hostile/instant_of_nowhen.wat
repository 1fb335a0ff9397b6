;; Gives an instant of the year 300,000.
;; expect: call output
;; output: timestamp
(module
  {{prelude}}
  ({{score}}
    (memory.fill (i32.const 8192) (i32.const 127) (i32.const 8000))
    (call $ok (i32.const 6) (i32.const 8192) (local.get $rows))))
