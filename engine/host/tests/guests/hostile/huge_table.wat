;; Begins with a table of ten million elements.
;; expect: load Compile
(module
  {{prelude}}
  (table 10000000 funcref)
  ({{score}}
    unreachable))
