;; Loops for ever when it is asked what it offers.
;; expect: load Describe timeout
(module
  {{memory}} {{realloc}}
  (func (export "tierd:plugin/plugin@1.0.0#describe") (result i32)
    (loop $again (br $again))
    unreachable)
  ({{score}}
    unreachable))
