;; Begins with a little memory, and may have none.
;; expect: call memory
;; memory_mb: 0
(module
  {{prelude}}
  ({{score}}
    unreachable))
