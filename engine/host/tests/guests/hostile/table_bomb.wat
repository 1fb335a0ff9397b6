;; Makes a table larger until it gets no more.
;; expect: call memory
(module
  {{prelude}}
  (table 1 funcref)
  ({{score}}
    (loop $again
      (if (i32.eq (table.grow (ref.null func) (i32.const 1000)) (i32.const -1)) (then unreachable))
      (br $again))
    unreachable))
