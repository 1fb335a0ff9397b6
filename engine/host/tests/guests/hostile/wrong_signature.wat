;; Describes itself by a text.
;; expect: load Signature
(component
  (core module $m
    (func (export "describe") (result i32) unreachable)
    (memory (export "memory") 1))
  (core instance $i (instantiate $m))
  (func $describe (result string) (canon lift (core func $i "describe") (memory $i "memory")))
  (instance $plugin (export "describe" (func $describe)))
  (export "tierd:plugin/plugin@1.0.0" (instance $plugin)))
