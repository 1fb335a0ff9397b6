;; Has data for places that its memory doesn't have.
;; expect: load Describe trap
(module
  {{prelude}}
  (data (i32.const 2000000000) "far away")
  ({{score}}
    unreachable))
