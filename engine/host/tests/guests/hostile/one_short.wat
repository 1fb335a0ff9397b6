;; Gives one value less than there are rows.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (i32.sub (local.get $rows) (i32.const 1)))))
