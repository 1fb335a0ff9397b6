;; Sums up by a list.
;; expect: call output
;; world: model-plugin
(module
  {{prelude}}
  (data (i32.const 8192) "{}[]")
  ({{part}}
    (drop (memory.grow (i32.const 40)))
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (i32.const 8192))
    (i32.store (i32.const 72) (i32.const 8))
    (i32.const 64))
  ({{fit}}
    (drop (memory.grow (i32.const 40)))
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (i32.const 8192))
    (i32.store (i32.const 72) (i32.const 8))
    (i32.store8 (i32.const 76) (i32.const 1))
    (i32.store (i32.const 80) (i32.const 8194))
    (i32.store (i32.const 84) (i32.const 2))
    (i32.const 64))
  ({{apply}}
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
