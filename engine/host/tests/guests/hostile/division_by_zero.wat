;; Divides by zero.
;; expect: call trap
(module
  {{prelude}}
  ({{score}}
    (i32.div_u (local.get $rows) (i32.const 0))))
