;; Asks for memory for ever, and is denied it.
;; expect: call timeout
;; time_ms: 200
(module
  {{prelude}}
  ({{score}}
    (loop $again
      (drop (memory.grow (i32.const 65535)))
      (br $again))
    unreachable))
