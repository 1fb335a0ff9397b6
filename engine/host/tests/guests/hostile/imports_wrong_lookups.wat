;; Imports lookups with other types.
;; expect: load Signature
(component
  (import "tierd:plugin/lookups@1.0.0" (instance
    (export "find" (func (param "key" string) (result string)))))
  (core module $m
    (func (export "describe") (result i32) unreachable)
    (memory (export "memory") 1))
  (core instance $i (instantiate $m))
  (func $describe (result string) (canon lift (core func $i "describe") (memory $i "memory")))
  (instance $plugin (export "describe" (func $describe)))
  (export "tierd:plugin/plugin@1.0.0" (instance $plugin)))
