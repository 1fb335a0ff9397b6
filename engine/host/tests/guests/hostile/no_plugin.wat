;; Is a component that has nothing to do with plugins.
;; expect: load NotAPlugin
(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
