;; Gives one value more than there are rows.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (i32.add (local.get $rows) (i32.const 1)))))
