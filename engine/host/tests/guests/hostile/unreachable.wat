;; Reaches what is unreachable.
;; expect: call trap
(module
  {{prelude}}
  ({{score}}
    unreachable))
