;; Takes memory page by page, and traps when it gets no more.
;; expect: call memory
(module
  {{prelude}}
  ({{score}}
    (loop $again
      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
      (i32.store8 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1)) (i32.const 1))
      (br $again))
    unreachable))
