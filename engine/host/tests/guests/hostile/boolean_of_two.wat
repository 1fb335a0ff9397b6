;; Gives 2 for a boolean.
;; expect: call output
;; output: boolean
(module
  {{prelude}}
  ({{score}}
    (memory.fill (i32.const 8192) (i32.const 2) (i32.const 3000))
    (call $ok (i32.const 3) (i32.const 8192) (local.get $rows))))
