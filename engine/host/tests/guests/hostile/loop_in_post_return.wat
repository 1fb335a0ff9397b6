;; Loops for ever after its result has been read.
;; expect: call timeout
;; time_ms: 200
(module
  {{prelude}}
  (func (export "cabi_post_tierd:plugin/scorer@1.0.0#score") (param i32)
    (loop $again (br $again)))
  ({{score}}
    (call $ok (i32.const 2) (call $values (local.get $inputs) (i32.const 0)) (local.get $rows))))
