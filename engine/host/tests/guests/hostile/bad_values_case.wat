;; Gives values of a type that doesn't exist.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (call $ok (i32.const 9) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
