;; Calls itself in place of itself for ever.
;; expect: load Compile
(module
  {{prelude}}
  (func $again (return_call $again))
  ({{score}}
    unreachable))
