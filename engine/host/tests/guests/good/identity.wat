;; Gives its first input as it is, of whatever type, with the rows that have no value.
(module
  {{prelude}}
  ({{score}}
    (i32.store8 (i32.const 64) (i32.const 0))
    (memory.copy (i32.const 68) (local.get $inputs) (i32.const 32))
    (i32.const 64)))
