//! What happens in the field to a daemon beside an application: other users, locks, changed tables, full disks, sudden ends. All by real
//! means, on real processes; docs/daemon.md lists which test is for which fault.

mod application;
mod busy_application;
mod corrupt_source;
mod failing_sync;
mod full_disk;
mod killed;
mod locked_source;
mod no_watches;
mod schema_drift;
mod shrunken_source;
mod started_twice;
mod users;
mod world;
