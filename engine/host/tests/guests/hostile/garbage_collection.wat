;; Makes objects that somebody else has to clear away.
;; expect: load Compile
(module
  {{prelude}}
  (type $pair (struct (field i32)))
  (func (result (ref $pair)) (struct.new $pair (i32.const 1)))
  ({{score}}
    unreachable))
