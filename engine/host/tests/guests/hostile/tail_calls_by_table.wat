;; Two functions call each other in place of themselves for ever, by a table.
;; expect: call timeout
;; time_ms: 200
(module
  {{prelude}}
  (type $nothing (func))
  (table 2 2 funcref)
  (elem (i32.const 0) $there $back)
  (func $there (return_call_indirect (type $nothing) (i32.const 1)))
  (func $back (return_call_indirect (type $nothing) (i32.const 0)))
  ({{score}}
    (call $there)
    unreachable))
