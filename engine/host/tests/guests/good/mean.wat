;; A model: how far the first input is above the mean of all rows. It needs two rounds, to show that there may be several.
;; world: model-plugin
(module
  {{prelude}}
  (data (i32.const 1040) "{\"fitted\":true}")
  (func $bytes (param $at i32) (param $count i32) (result i32)
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (local.get $at))
    (i32.store (i32.const 72) (local.get $count))
    (i32.const 64))
  ;; A part is a sum and how many rows it is of.
  ({{part}}
    (local $in i32) (local $left i32) (local $sum f64)
    (local.set $in (call $values (local.get $inputs) (i32.const 0)))
    (local.set $left (local.get $rows))
    (block $done (loop $row
      (br_if $done (i32.eqz (local.get $left)))
      (local.set $sum (f64.add (local.get $sum) (f64.load (local.get $in))))
      (local.set $in (i32.add (local.get $in) (i32.const 8)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $row)))
    (f64.store (i32.const 1024) (local.get $sum))
    (f64.store (i32.const 1032) (f64.convert_i32_u (local.get $rows)))
    (call $bytes (i32.const 1024) (i32.const 16)))
  ({{fit}}
    (local $part i32) (local $sum f64) (local $of f64)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (local.set $part (i32.load (local.get $parts)))
      (local.set $sum (f64.add (local.get $sum) (f64.load (local.get $part))))
      (local.set $of (f64.add (local.get $of) (f64.load offset=8 (local.get $part))))
      (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
    (f64.store (i32.const 1024) (f64.div (local.get $sum) (local.get $of)))
    (drop (call $bytes (i32.const 1024) (i32.const 8)))
    (i32.store8 (i32.const 76) (i32.ne (local.get $model_bytes) (i32.const 0)))
    (i32.store (i32.const 80) (i32.const 1040))
    (i32.store (i32.const 84) (i32.const 15))
    (i32.const 64))
  ({{apply}}
    (local $at i32) (local $left i32)
    (local.set $at (call $values (local.get $inputs) (i32.const 0)))
    (local.set $left (local.get $rows))
    (block $done (loop $row
      (br_if $done (i32.eqz (local.get $left)))
      (f64.store (local.get $at) (f64.sub (f64.load (local.get $at)) (f64.load (local.get $model))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $row)))
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
