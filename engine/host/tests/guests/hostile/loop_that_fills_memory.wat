;; Fills all its memory again and again.
;; expect: call timeout
;; time_ms: 200
(module
  {{prelude}}
  ({{score}}
    (drop (memory.grow (i32.const 500)))
    (loop $again
      (memory.fill (i32.const 65536) (i32.const 7) (i32.const 32000000))
      (br $again))
    unreachable))
