//! Bounds of everyday work: availability, templates, tasks.

/// How long somebody may say that they do not want to be disturbed. Milliseconds: the longest shift.
pub const UNDISTURBED_MAX_MS: u64 = 16 * 3_600_000;

/// Stretches of one person's quiet hours: one for each day of the week. In memory some 150 bytes with a number and a cover, 1.5 MB for
/// 10,000 people.
pub const QUIET_HOURS_MAX: usize = 7;

/// People for whom one colleague covers. 8 x 20 bytes in what their devices are told.
pub const COVERED_BY_ONE_MAX: usize = 8;

/// How far ahead a device is told when to be silent. Milliseconds: a session ends within half of it, and the next is told anew. At most
/// [`QUIET_HOURS_MAX`] x 4 stretches of 12 bytes.
pub const SILENCES_AHEAD_MS: u64 = 24 * 3_600_000;

/// People after whom one request asks. 32 x 70 bytes, and one's own quiet hours.
pub const AVAILABILITY_ASKED_MAX: usize = 32;

/// A quick reply. Bytes: a sentence or two.
pub const QUICK_REPLY_MAX: usize = 200;

/// Quick replies of one unit, or of the facility: more are not quick any more.
pub const QUICK_REPLIES_MAX: usize = 32;

/// Templates of one unit, or of the facility.
pub const TEMPLATES_MAX: usize = 16;

/// Fields of one template: the longest hand-over forms in use have ten.
pub const TEMPLATE_FIELDS_MAX: usize = 12;

/// Bytes of all words of one set: 12 kB beside [`TEMPLATES_MAX`] x [`TEMPLATE_FIELDS_MAX`] x 10 bytes of tags, and 32 x 3, stay below
/// [`super::CLIENT_FRAME_MAX`]. In memory some 20 kB each at the most, 6 MB for [`super::UNITS_MAX`].
pub const TEMPLATES_BYTES_MAX: usize = 12 * 1024;

/// Open tasks of one conversation, given by one person, given to one, or to one role: nobody keeps more in mind. 150 bytes each and some
/// 300 of indices: for the largest directory 450 MB could stand there, were everybody to give all that they may; a hospital of
/// 2,000 people with ten each has 9 MB.
pub const TASKS_OPEN_MAX: usize = 100;

/// Tasks on one page: x 100 bytes = 10 kB; and as many with a conversation that somebody comes into, beside [`super::STATS_SHOWN_MAX`].
pub const TASKS_PAGE_MAX: usize = 100;

/// How far ahead a task may be due. Milliseconds: 90 days, longer than most are kept for.
pub const TASK_AHEAD_MAX_MS: u64 = 90 * 24 * 3_600_000;

/// Open tasks of a role that its offer shows, by place: 20 x 30 bytes.
pub const OFFER_TASKS_SHOWN_MAX: usize = 20;

/// How long an urgent message waits before a unit's station screens show it, if its policy says nothing else. Seconds.
pub const URGENT_WAIT_STANDARD_S: u16 = 300;
/// Shortest and longest such wait. Seconds: nobody looks at everything within less than a minute, and what may wait for more than an hour
/// is not urgent.
pub const URGENT_WAIT_MIN_S: u16 = 60;
/// See [`URGENT_WAIT_MIN_S`].
pub const URGENT_WAIT_MAX_S: u16 = 3_600;
/// Urgent messages of one unit that wait: a screen that shows so many is not made louder by one more. 64 x 75 bytes = 4.8 kB to whichever
/// screen connects.
pub const URGENTS_OF_UNIT_MAX: usize = 64;
/// Those of the facility: 1,000 x (32 + 2 x 60) bytes = 152 kB. All are passed over when one is shown or over: a millisecond.
pub const URGENTS_MAX: usize = 1_000;

/// Tasks of a leaver that the answer to their suspension names: 200 x 50 bytes.
pub const TASKS_LEFT_SHOWN_MAX: usize = 200;
