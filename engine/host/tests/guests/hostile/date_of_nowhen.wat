;; Gives a day of the year 5 million.
;; expect: call output
;; output: date
(module
  {{prelude}}
  ({{score}}
    (memory.fill (i32.const 8192) (i32.const 100) (i32.const 8000))
    (call $ok (i32.const 5) (i32.const 8192) (local.get $rows))))
