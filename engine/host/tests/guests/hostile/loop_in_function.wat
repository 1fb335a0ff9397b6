;; Loops for ever in its function.
;; expect: call timeout
;; time_ms: 200
(module
  {{prelude}}
  ({{score}}
    (loop $again (br $again))
    unreachable))
