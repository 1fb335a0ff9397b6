;; Calls by reference.
;; expect: load Compile
(module
  {{prelude}}
  (type $n (func))
  (func (param (ref $n)) (call_ref $n (local.get 0)))
  ({{score}}
    unreachable))
