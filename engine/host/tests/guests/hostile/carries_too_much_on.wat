;; Carries 2 MiB on.
;; expect: call output
;; world: aggregator-plugin
(module
  {{prelude}}
  ({{aggregate}}
    (drop (memory.grow (i32.const 40)))
    (drop (call $ok (i32.const 2) (i32.const 8192) (local.get $subjects)))
    (i32.store (i32.const 100) (i32.const 8192))
    (i32.store (i32.const 104) (i32.const 2097152))
    (i32.const 64)))
