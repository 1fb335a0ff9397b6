;; Gives validity that is neither there nor absent.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (drop (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows)))
    (i32.store8 (i32.const 88) (i32.const 7))
    (i32.const 64)))
