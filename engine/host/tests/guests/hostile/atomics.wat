;; Uses atomic instructions.
;; expect: load Compile
(module
  {{prelude}}
  (func (param i32) (result i32) (i32.atomic.rmw.add (local.get 0) (i32.const 1)))
  ({{score}}
    unreachable))
