;; A segmenter: `low` where the first input is below 0, `high` where it is above 10, no label between.
;; world: segmenter-plugin
(module
  {{prelude}}
  (data (i32.const 1024) "lowhigh")
  (data (i32.const 1032) "\00\04\00\00\03\00\00\00\03\04\00\00\04\00\00\00")
  ({{segment}}
    (local $at i32) (local $out i32) (local $left i32) (local $value f64)
    (local.set $at (call $values (local.get $inputs) (i32.const 0)))
    (local.set $left (local.get $rows))
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (i32.const 1032))
    (i32.store (i32.const 72) (i32.const 2))
    (local.set $out (call $alloc (i32.shl (local.get $rows) (i32.const 2))))
    (i32.store (i32.const 76) (local.get $out))
    (i32.store (i32.const 80) (local.get $rows))
    (block $done (loop $row
      (br_if $done (i32.eqz (local.get $left)))
      (local.set $value (f64.load (local.get $at)))
      (i32.store (local.get $out) (select (i32.const 0)
        (select (i32.const 1) (i32.const -1) (f64.gt (local.get $value) (f64.const 10)))
        (f64.lt (local.get $value) (f64.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (local.set $out (i32.add (local.get $out) (i32.const 4)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $row)))
    (i32.const 64)))
