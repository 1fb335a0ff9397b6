;; Calls itself in place of itself for ever.
;; expect: call timeout
;; time_ms: 200
(module
  {{prelude}}
  (func $again (return_call $again))
  ({{score}}
    (call $again)
    unreachable))
