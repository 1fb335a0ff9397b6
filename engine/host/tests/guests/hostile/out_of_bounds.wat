;; Reads behind its memory.
;; expect: call trap
(module
  {{prelude}}
  ({{score}}
    (i32.load (i32.const 2147483640))))
