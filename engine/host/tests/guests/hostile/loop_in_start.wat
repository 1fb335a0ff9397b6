;; Loops for ever before anything is called.
;; expect: load Describe timeout
(module
  {{prelude}}
  (func $start (loop $again (br $again)))
  (start $start)
  ({{score}}
    unreachable))
