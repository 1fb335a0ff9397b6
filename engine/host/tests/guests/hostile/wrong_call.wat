;; Calls a function as if it had other parameters.
;; expect: call trap
(module
  {{prelude}}
  (type $number (func (result i32)))
  (table 1 1 funcref)
  (elem (i32.const 0) $takes)
  (func $takes (param i64))
  ({{score}}
    (call_indirect (type $number) (i32.const 0))))
