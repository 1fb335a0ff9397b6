;; Gives no values.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (i32.const 0))))
