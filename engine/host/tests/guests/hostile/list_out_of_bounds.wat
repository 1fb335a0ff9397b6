;; Gives a list that goes on behind its memory.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (call $ok (i32.const 2) (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 8)) (local.get $rows))))
