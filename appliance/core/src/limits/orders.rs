//! Bounds of orders by text.

/// Orders of one thread that are not filed: of a stay of two weeks, a dozen a day. Each keeps what follows it from expiring. 150 bytes in
/// memory.
pub const ORDERS_OPEN_MAX: usize = 200;

/// Orders of the facility that are not filed: x 150 bytes and as much of index = 6 MB.
pub const ORDERS_MAX: usize = 20_000;

/// Orders on one page: x 110 bytes = 11 kB.
pub const ORDERS_PAGE_MAX: usize = 100;

/// Orders that are told with a conversation that somebody comes into, the newest: 50 x 110 bytes = 5.5 kB.
pub const ORDERS_SHOWN_MAX: usize = 50;

/// How often one order is read back: who has misread it so often is told by voice, and given another one.
pub const READ_BACKS_MAX: u8 = 3;

/// What devices signed about one order at most: itself, and each read-back with what was said to it. 7 x 330 bytes = 2.3 kB, which stand on
/// a page of one message, beside [`super::STAT_SIGNED_MAX`] and what else it may have: below [`super::SERVER_FRAME_MAX`].
pub const ORDER_SIGNED_MAX: usize = 1 + 2 * READ_BACKS_MAX as usize;

/// Roles that one unit, or the facility, lists for orders: who is on call there, by specialty. 16 x 8 bytes; all lists, of
/// [`super::UNITS_MAX`] and the facility, 145 bytes each, are one answer.
pub const ORDER_ROLES_MAX: usize = 16;
