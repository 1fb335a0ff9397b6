;; Asks for more memory than it may have, is denied it, and gives its first input all the same.
(module
  {{prelude}}
  ({{score}}
    (drop (memory.grow (i32.const 60000)))
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
