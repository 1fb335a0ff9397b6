;; Begins with more than its limit.
;; expect: call memory
(module
  (memory (export "memory") 1600)
  {{realloc}} {{describe}}
  ({{score}}
    unreachable))
