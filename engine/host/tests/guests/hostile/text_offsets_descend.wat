;; Gives texts that end before they begin.
;; expect: call output
;; output: text
(module
  {{prelude}}
  ({{score}}
    (i32.store (i32.const 8196) (i32.const 900))
    (drop (call $ok (i32.const 4) (i32.const 8192) (i32.add (local.get $rows) (i32.const 1))))
    (i32.store (i32.const 80) (i32.const 4096))
    (i32.store (i32.const 84) (i32.const 4))
    (i32.const 64)))
