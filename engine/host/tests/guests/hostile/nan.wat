;; Gives nan for the last row.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (f64.store (i32.add (call $values (local.get $inputs) (i32.const 0)) (i32.shl (i32.sub (local.get $rows) (i32.const 1)) (i32.const 3))) (f64.const nan))
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
