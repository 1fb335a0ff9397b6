;; An aggregator: the sum of the first input of each subject. It carries on the sum so far.
;; world: aggregator-plugin
(module
  {{prelude}}
  ({{aggregate}}
    (local $in i32) (local $of i32) (local $left i32) (local $out i32) (local $at i32) (local $sum f64) (local $first i32)
    (local.set $in (call $values (local.get $inputs) (i32.const 0)))
    (local.set $out (call $alloc (i32.shl (local.get $subjects) (i32.const 3))))
    (local.set $first (i32.const 1))
    (block $done (loop $subject
      (br_if $done (i32.ge_u (local.get $at) (local.get $subjects)))
      (local.set $sum (f64.const 0))
      (if (i32.and (local.get $first) (i32.eq (local.get $carried_bytes) (i32.const 8)))
        (then (local.set $sum (f64.load (local.get $carried)))))
      (local.set $first (i32.const 0))
      (local.set $left (i32.load (i32.add (local.get $rows_of) (i32.shl (local.get $at) (i32.const 2)))))
      (block $none (loop $row
        (br_if $none (i32.eqz (local.get $left)))
        (local.set $sum (f64.add (local.get $sum) (f64.load (local.get $in))))
        (local.set $in (i32.add (local.get $in) (i32.const 8)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $row)))
      (f64.store (i32.add (local.get $out) (i32.shl (local.get $at) (i32.const 3))) (local.get $sum))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $subject)))
    (drop (call $ok (i32.const 2) (local.get $out) (local.get $subjects)))
    (f64.store (i32.const 1024) (local.get $sum))
    (i32.store (i32.const 100) (i32.const 1024))
    (i32.store (i32.const 104) (i32.shl (local.get $more) (i32.const 3)))
    (i32.const 64)))
