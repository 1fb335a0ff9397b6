;; Gives a list at the end of all addresses.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (call $ok (i32.const 2) (i32.const 4294967288) (local.get $rows))))
