;; Gives a result that is neither good nor bad.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (i32.store8 (call $ok (i32.const 2) (i32.const 8192) (i32.const 0)) (i32.const 2))
    (i32.const 64)))
