;; Gives a list that begins between two numbers.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (call $ok (i32.const 2) (i32.const 8193) (local.get $rows))))
