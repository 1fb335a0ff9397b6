;; Traps before anything is called.
;; expect: load Describe trap
(module
  {{prelude}}
  (func $start unreachable)
  (start $start)
  ({{score}}
    unreachable))
