;; Calls itself for ever by a table.
;; expect: call stack
(module
  {{prelude}}
  (type $nothing (func))
  (table 2 2 funcref)
  (elem (i32.const 0) $ping $pong)
  (func $ping (call_indirect (type $nothing) (i32.const 1)) (call $touch))
  (func $pong (call_indirect (type $nothing) (i32.const 0)) (call $touch))
  (func $touch)
  ({{score}}
    (call $ping)
    unreachable))
