;; Makes an integer of NaN.
;; expect: call trap
(module
  {{prelude}}
  ({{score}}
    (i32.trunc_f64_s (f64.const nan))))
