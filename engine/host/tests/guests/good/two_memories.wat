;; Has two memories, which is allowed; the first input comes back by way of the second memory.
(module
  {{prelude}}
  (memory $second 4)
  ({{score}}
    (memory.copy $second 0 (i32.const 0) (call $values (local.get $inputs) (i32.const 0))
      (i32.shl (local.get $rows) (i32.const 3)))
    (memory.copy 0 $second (call $values (local.get $inputs) (i32.const 0)) (i32.const 0)
      (i32.shl (local.get $rows) (i32.const 3)))
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
