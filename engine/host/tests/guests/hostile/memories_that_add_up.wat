;; Has two memories that are too large only together.
;; expect: call memory
(module
  {{prelude}}
  (memory $second 1)
  ({{score}}
    (if (i32.eq (memory.grow (i32.const 600)) (i32.const -1)) (then unreachable))
    (if (i32.eq (memory.grow $second (i32.const 600)) (i32.const -1)) (then unreachable))
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
