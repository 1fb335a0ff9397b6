;; A scorer of three numbers: a / 2 + b / 4 + c / 8, in place of the first.
(module
  {{prelude}}
  ({{score}}
    (local $a i32) (local $b i32) (local $c i32) (local $end i32) (local $out i32)
    (local.set $out (call $values (local.get $inputs) (i32.const 0)))
    (local.set $a (local.get $out))
    (local.set $b (call $values (local.get $inputs) (i32.const 1)))
    (local.set $c (call $values (local.get $inputs) (i32.const 2)))
    (local.set $end (i32.add (local.get $a) (i32.shl (local.get $rows) (i32.const 3))))
    (if (i32.lt_u (local.get $a) (local.get $end)) (then
      (loop $row
        (f64.store (local.get $a) (f64.add (f64.add
          (f64.mul (f64.load (local.get $a)) (f64.const 0.5))
          (f64.mul (f64.load (local.get $b)) (f64.const 0.25)))
          (f64.mul (f64.load (local.get $c)) (f64.const 0.125))))
        (local.set $a (i32.add (local.get $a) (i32.const 8)))
        (local.set $b (i32.add (local.get $b) (i32.const 8)))
        (local.set $c (i32.add (local.get $c) (i32.const 8)))
        (br_if $row (i32.lt_u (local.get $a) (local.get $end))))))
    (call $ok (i32.const 2) (local.get $out) (local.get $rows))))
