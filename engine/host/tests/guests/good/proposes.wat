;; A planner: for every row a task `call` for owner `ana` by channel `phone` in 3 days, and then an event `seen`.
;; world: planner-plugin
(module
  {{prelude}}
  (data (i32.const 1024) "callanaphoneseen{\"n\":1}")
  (func $text (param $at i32) (param $from i32) (param $bytes i32)
    (i32.store (local.get $at) (local.get $from))
    (i32.store offset=4 (local.get $at) (local.get $bytes)))
  ({{plan}}
    (local $at i32) (local $row i32)
    (local.set $at (call $alloc (i32.mul (local.get $rows) (i32.const 120))))
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (local.get $at))
    (i32.store (i32.const 72) (i32.shl (local.get $rows) (i32.const 1)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
      (i32.store (local.get $at) (local.get $row))
      (call $text (i32.add (local.get $at) (i32.const 8)) (i32.const 1024) (i32.const 4))
      (i32.store8 offset=16 (local.get $at) (i32.const 1))
      (call $text (i32.add (local.get $at) (i32.const 20)) (i32.const 1028) (i32.const 3))
      (i32.store8 offset=28 (local.get $at) (i32.const 1))
      (call $text (i32.add (local.get $at) (i32.const 32)) (i32.const 1031) (i32.const 5))
      (i32.store8 offset=52 (local.get $at) (i32.const 1))
      (i32.store offset=56 (local.get $at) (i32.const 3))
      (local.set $at (i32.add (local.get $at) (i32.const 60)))
      (i32.store (local.get $at) (local.get $row))
      (i32.store8 offset=4 (local.get $at) (i32.const 1))
      (call $text (i32.add (local.get $at) (i32.const 8)) (i32.const 1036) (i32.const 4))
      (call $text (i32.add (local.get $at) (i32.const 16)) (i32.const 1040) (i32.const 7))
      (local.set $at (i32.add (local.get $at) (i32.const 60)))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $next)))
    (i32.const 64)))
