//! The HTTP interface of a running tierd.
