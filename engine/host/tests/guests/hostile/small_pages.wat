;; Has a memory of single bytes.
;; expect: load Compile
(module
  {{prelude}}
  (memory $small 1 (pagesize 1))
  ({{score}}
    unreachable))
