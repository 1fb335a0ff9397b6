;; Proposes something for a row that it wasn't given.
;; expect: call output
;; world: planner-plugin
(module
  {{prelude}}
  (data (i32.const 8192) "news{}[]")
  ({{plan}}
    (i32.store (i32.const 9216) (i32.const 70000))
    (i32.store8 (i32.const 9220) (i32.const 1))
    (i32.store (i32.const 9224) (i32.const 8192))
    (i32.store (i32.const 9228) (i32.const 4))
    (i32.store (i32.const 9232) (i32.const 8196))
    (i32.store (i32.const 9236) (i32.const 2))
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (i32.const 9216))
    (i32.store (i32.const 72) (i32.const 1))
    (i32.const 64)))
