;; Calls itself in place of itself, and uses up its fuel long before its time.
;; expect: call fuel
;; fuel: 1000000
(module
  {{prelude}}
  (func $again (return_call $again))
  ({{score}}
    (call $again)
    unreachable))
