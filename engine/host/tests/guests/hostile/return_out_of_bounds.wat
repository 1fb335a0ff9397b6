;; Gives a result behind its memory.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (i32.const 2147483640)))
