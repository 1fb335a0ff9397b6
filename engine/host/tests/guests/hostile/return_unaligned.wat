;; Gives a result at an odd address.
;; expect: call output
(module
  {{prelude}}
  ({{score}}
    (i32.const 65)))
