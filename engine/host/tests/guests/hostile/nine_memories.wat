;; Has nine memories.
;; expect: load Compile
(module
  {{prelude}}
  (memory 1)
  (memory 1)
  (memory 1)
  (memory 1)
  (memory 1)
  (memory 1)
  (memory 1)
  (memory 1)
  ({{score}}
    unreachable))
