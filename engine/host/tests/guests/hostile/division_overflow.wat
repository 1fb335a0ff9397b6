;; Divides the smallest number by -1.
;; expect: call trap
(module
  {{prelude}}
  ({{score}}
    (i32.div_s (i32.const -2147483648) (i32.const -1))))
