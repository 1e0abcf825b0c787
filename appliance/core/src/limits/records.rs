//! Bounds of prints and of looks at the audit log.

/// Pages of one downtime sheet: 26 beds each, for a unit of 5,000.
pub const PRINT_PAGES_MAX: u32 = 200;

/// Entries of the audit log on one page: 100 x 100 bytes, and of each at most eight names of 95: 86 kB, below [`super::SERVER_FRAME_MAX`].
pub const AUDIT_PAGE_MAX: usize = 100;

/// Entries that are looked through for one page: some 50 bytes each, read by key in the order of the log; 20,000 x 50 = 1 MB and some 20 ms.
/// A busy hospital makes as many in half a day. What is behind them is another page.
pub const AUDIT_LOOK_MAX: u32 = 20_000;

/// Kinds of acts that one look may ask for: more than there are.
pub const AUDIT_ACTS_MAX: usize = 256;
