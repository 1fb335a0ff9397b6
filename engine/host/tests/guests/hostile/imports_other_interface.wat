;; Imports something else of the contract's package.
;; expect: load Import
(component
  (import "tierd:plugin/files@1.0.0" (instance)))
