;; Is a module that doesn't say what its functions are.
;; expect: load NoComponentType
;; raw
(module
  (memory (export "memory") 1)
  (func (export "tierd:plugin/plugin@1.0.0#describe") (result i32) unreachable))
