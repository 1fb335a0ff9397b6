;; Gives a label that it doesn't have.
;; expect: call output
;; world: segmenter-plugin
(module
  {{prelude}}
  (data (i32.const 8192) "\00\10\00\00\01\00\00\00\01\10\00\00\01\00\00\00")
  (data (i32.const 4096) "AA")
  ({{segment}}
    (i32.store (i32.const 9216) (i32.const 1))
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (i32.const 8192))
    (i32.store (i32.const 72) (i32.const 1))
    (i32.store (i32.const 76) (i32.const 9216))
    (i32.store (i32.const 80) (local.get $rows))
    (i32.const 64)))
