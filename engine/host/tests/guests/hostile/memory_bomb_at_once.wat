;; Asks for 4 GiB at once, and writes where they would be.
;; expect: call memory
(module
  {{prelude}}
  ({{score}}
    (drop (memory.grow (i32.const 65000)))
    (i32.store (i32.const 2000000000) (i32.const 1))
    unreachable))
