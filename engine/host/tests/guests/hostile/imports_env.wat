;; Imports a function that nobody has defined.
;; expect: load Import
(module
  (import "env" "printf" (func (param i32 i32) (result i32)))
  {{prelude}}
  ({{score}}
    unreachable))
