;; Calls itself by a table for ever, without recursion.
;; expect: call timeout
;; time_ms: 200
(module
  {{prelude}}
  (type $nothing (func))
  (table 1 1 funcref)
  (elem (i32.const 0) $idle)
  (func $idle)
  ({{score}}
    (loop $again
      (call_indirect (type $nothing) (i32.const 0))
      (br $again))
    unreachable))
