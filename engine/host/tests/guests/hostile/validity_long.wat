;; Gives validity for another number of rows.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (drop (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows)))
    (i32.store8 (i32.const 88) (i32.const 1))
    (i32.store (i32.const 92) (i32.const 8192))
    (i32.store (i32.const 96) (i32.const 5000))
    (i32.const 64)))
