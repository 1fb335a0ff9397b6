;; Has a memory that threads share.
;; expect: load Compile
(module
  {{prelude}}
  (memory $shared 1 1 shared)
  ({{score}}
    unreachable))
