;; Says that it failed, on several lines.
;; expect: call failed
(module
  {{prelude}}
  (data (i32.const 8192) "no prices\nand no more")
  ({{score}}
    (call $fail (i32.const 8192) (i32.const 20))))
