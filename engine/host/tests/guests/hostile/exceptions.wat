;; Throws exceptions.
;; expect: load Compile
(module
  {{prelude}}
  (tag $oops)
  (func (throw $oops))
  ({{score}}
    unreachable))
