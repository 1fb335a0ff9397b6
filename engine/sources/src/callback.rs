//! The fast way: SQLite calls an aggregate function of ours for each row.
//!
//! `SELECT tierd_collect(customer_id, amount) FROM orders WHERE rowid BETWEEN ? AND ?` keeps the loop over the rows inside
//! SQLite's virtual machine. The function takes its arguments as SQLite has them (nothing is copied) and has no result.
//!
//! All `unsafe` of the readers is here. What it relies on: the function is registered for the length of one query, with a
//! pointer to a [`Call`] that outlives the query, on a connection that only this thread uses.

use std::{
    any::Any,
    ffi::{CStr, c_int, c_void},
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr, slice,
};

use rusqlite::{Connection, ffi, types::ValueRef};

use crate::reader::{Reader, Request, Row, RowIds, RowSink};

const NAME: &CStr = c"tierd_collect";

/// Reads by callback.
pub(crate) struct CallbackReader;

impl Reader for CallbackReader {
    fn read<S: RowSink>(
        connection: &Connection,
        request: &Request,
        rows: Option<RowIds>,
        sink: &mut S,
    ) -> rusqlite::Result<bool> {
        let mut call = Call { sink, stopped: false, panic: None };
        let outcome = {
            let _registered = Registered::new(connection, &mut call)?;
            run(connection, request, rows)
        };
        // A panic of the sink goes on here, on this side of SQLite.
        if let Some(panic) = call.panic {
            resume_unwind(panic);
        }
        if call.stopped {
            return Ok(false);
        }
        outcome.map(|()| true)
    }
}

fn run(connection: &Connection, request: &Request, rows: Option<RowIds>) -> rusqlite::Result<()> {
    let sql = request.sql(|columns| format!("tierd_collect({columns})"), rows.is_some());
    let mut statement = connection.prepare(&sql)?;
    match rows {
        Some(rows) => statement.query_row([rows.start(), rows.end()], |_| Ok(())),
        None => statement.query_row([], |_| Ok(())),
    }
}

/// What the function works on.
struct Call<'a, S> {
    sink: &'a mut S,
    stopped: bool,
    panic: Option<Box<dyn Any + Send>>,
}

/// The function, for as long as this lives.
struct Registered<'a>(&'a Connection);

impl<'a> Registered<'a> {
    fn new<S: RowSink>(connection: &'a Connection, call: &mut Call<S>) -> rusqlite::Result<Self> {
        let flags = ffi::SQLITE_UTF8 | ffi::SQLITE_DIRECTONLY;
        // SAFETY: the connection is open and the name a C string; `call` outlives the registration, which `drop` ends.
        let code = unsafe {
            ffi::sqlite3_create_function_v2(
                connection.handle(),
                NAME.as_ptr(),
                -1,
                flags,
                ptr::from_mut(call).cast::<c_void>(),
                None,
                Some(step::<S>),
                Some(finish),
                None,
            )
        };
        match code {
            ffi::SQLITE_OK => Ok(Registered(connection)),
            code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
        }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        // SAFETY: as in `new`; without functions the name is forgotten. No statement that uses it is running any more.
        unsafe {
            ffi::sqlite3_create_function_v2(
                self.0.handle(),
                NAME.as_ptr(),
                -1,
                ffi::SQLITE_UTF8,
                ptr::null_mut(),
                None,
                None,
                None,
                None,
            );
        }
    }
}

/// One row.
unsafe extern "C" fn step<S: RowSink>(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    arguments: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: SQLite calls this with the pointer that `Registered::new` gave it, to a `Call` of the same sink type, which nothing
    // else touches while the query runs; and with `count` arguments, valid until this function returns.
    let (call, arguments) = unsafe {
        let call = &mut *ffi::sqlite3_user_data(context).cast::<Call<'_, S>>();
        (call, slice::from_raw_parts(arguments, count as usize))
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| call.sink.row(&Arguments(arguments))));
    match outcome {
        Ok(ControlFlow::Continue(())) => return,
        Ok(ControlFlow::Break(())) => call.stopped = true,
        Err(panic) => call.panic = Some(panic),
    }
    // SAFETY: an error from a step ends the query; SQLite copies the text.
    unsafe { ffi::sqlite3_result_error(context, c"stopped".as_ptr(), -1) };
}

/// The result is NULL, as nothing else is set.
unsafe extern "C" fn finish(_: *mut ffi::sqlite3_context) {}

/// The arguments of one call: never null pointers.
struct Arguments<'a>(&'a [*mut ffi::sqlite3_value]);

impl Row for Arguments<'_> {
    #[inline(always)]
    fn value(&self, column: usize) -> ValueRef<'_> {
        let value = self.0[column];
        // SAFETY: SQLite passes valid values; text and blob stay where they are until the function returns, and this borrow ends
        // before. Each value is asked for in one representation only, so that none is converted under another's feet.
        unsafe {
            match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_INTEGER => ValueRef::Integer(ffi::sqlite3_value_int64(value)),
                ffi::SQLITE_FLOAT => ValueRef::Real(ffi::sqlite3_value_double(value)),
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_value_text(value);
                    match text.is_null() {
                        // Out of memory while converting from UTF-16: a value that can't be read is bad, not absent.
                        true => ValueRef::Blob(&[]),
                        false => ValueRef::Text(bytes(text.cast(), value)),
                    }
                }
                ffi::SQLITE_BLOB => ValueRef::Blob(bytes(ffi::sqlite3_value_blob(value).cast(), value)),
                _ => ValueRef::Null,
            }
        }
    }
}

/// # Safety
/// `start` is the text or blob of `value`, or null for an empty blob.
unsafe fn bytes<'a>(start: *const u8, value: *mut ffi::sqlite3_value) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: SQLite says how many bytes its representation has.
    unsafe { slice::from_raw_parts(start, ffi::sqlite3_value_bytes(value) as usize) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::schema;

    /// Takes so many rows, and then stops or panics.
    struct Limited {
        seen: Vec<i64>,
        most: usize,
        panics: bool,
    }

    impl RowSink for Limited {
        fn row(&mut self, row: &impl Row) -> ControlFlow<()> {
            assert!(!self.panics || self.seen.len() < self.most, "enough");
            if self.seen.len() == self.most {
                return ControlFlow::Break(());
            }
            let ValueRef::Integer(value) = row.value(0) else { panic!("no integer") };
            self.seen.push(value);
            ControlFlow::Continue(())
        }
    }

    fn read(
        connection: &Connection,
        rows: Option<RowIds>,
        most: usize,
        panics: bool,
    ) -> (rusqlite::Result<bool>, Vec<i64>) {
        let tables = schema(connection).unwrap();
        let mut sink = Limited { seen: Vec::new(), most, panics };
        let request = Request { table: &tables[0], columns: vec!["a"] };
        let whole = CallbackReader::read(connection, &request, rows, &mut sink);
        (whole, sink.seen)
    }

    #[test]
    fn a_sink_may_stop_or_panic_and_the_connection_goes_on() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (7), (8), (9)").unwrap();
        assert_eq!(read(&connection, None, 9, false), (Ok(true), vec![7, 8, 9]));
        assert_eq!(read(&connection, Some(2..=5), 9, false), (Ok(true), vec![8, 9]));
        assert_eq!(read(&connection, None, 2, false), (Ok(false), vec![7, 8]));
        let panic = catch_unwind(AssertUnwindSafe(|| read(&connection, None, 1, true))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"enough"));
        assert_eq!(read(&connection, None, 3, false), (Ok(true), vec![7, 8, 9]));
        // The function is gone with the read.
        assert!(connection.query_row("SELECT tierd_collect(a) FROM t", [], |_| Ok(())).is_err());
    }
}
