;; Begins with 4 GiB.
;; expect: load Describe memory
(module
  (memory (export "memory") 65536)
  {{realloc}} {{describe}}
  ({{score}}
    unreachable))
