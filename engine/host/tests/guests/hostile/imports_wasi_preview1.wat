;; Imports WASI as modules do.
;; expect: load Import
(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  {{prelude}}
  ({{score}}
    unreachable))
