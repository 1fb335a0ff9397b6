;; Uses up its fuel long before its time.
;; expect: call fuel
;; fuel: 1000000
(module
  {{prelude}}
  ({{score}}
    (loop $again (br $again))
    unreachable))
