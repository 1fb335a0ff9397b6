;; Says why it failed in something that isn't UTF-8.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (i32.store (i32.const 8192) (i32.const -1))
    (call $fail (i32.const 8192) (i32.const 4))))
