;; A scorer of a text: the first column of table `regions` at that key.
(module
  (import "tierd:plugin/lookups@1.0.0" "find" (func $find (param i32 i32 i32 i32 i32 i32 i32)))
  {{prelude}}
  (data (i32.const 1024) "regions")
  ({{score}}
    (call $find (i32.const 1024) (i32.const 7)
      (i32.load offset=4 (local.get $inputs)) (i32.load offset=8 (local.get $inputs))
      (i32.load offset=12 (local.get $inputs)) (i32.load offset=16 (local.get $inputs))
      (i32.const 1040))
    ;; A failure is passed on as it is.
    (memory.copy (i32.const 64) (i32.const 1040) (i32.const 36))
    (if (i32.eqz (i32.load8_u (i32.const 1040)))
      (then (memory.copy (i32.const 68) (i32.load (i32.const 1044)) (i32.const 32))))
    (i32.const 64)))
