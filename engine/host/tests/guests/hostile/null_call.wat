;; Calls a function that isn't there.
;; expect: call trap
(module
  {{prelude}}
  (type $number (func (result i32)))
  (table 1 1 funcref)
  ({{score}}
    (call_indirect (type $number) (i32.const 0))))
