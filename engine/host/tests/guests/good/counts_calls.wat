;; Gives how often it was called before in the same instance: always 0.
(module
  {{prelude}}
  (global $calls (mut f64) (f64.const 0))
  ({{score}}
    (local $at i32) (local $end i32)
    (local.set $at (call $values (local.get $inputs) (i32.const 0)))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $rows) (i32.const 3))))
    (if (local.get $rows) (then
      (loop $row
        (f64.store (local.get $at) (f64.add (global.get $calls) (f64.load (i32.const 128))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $row (i32.lt_u (local.get $at) (local.get $end))))))
    (global.set $calls (f64.add (global.get $calls) (f64.const 1)))
    (f64.store (i32.const 128) (global.get $calls))
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
