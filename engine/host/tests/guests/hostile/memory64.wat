;; Has a memory of 64 bits.
;; expect: load Compile
(module
  {{prelude}}
  (memory $large i64 1)
  ({{score}}
    unreachable))
