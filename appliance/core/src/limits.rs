//! Every bound of the core, with the sum behind it. A test holds the sums against the code.

use crate::bucket::Rate;

mod bell;
mod certificates;
mod orders;
mod passkeys;
mod records;
mod work;

pub use bell::*;
pub use certificates::*;
pub use orders::*;
pub use passkeys::*;
pub use records::*;
pub use work::*;

/// A client's frame: the largest is `Submit`, text of [`TEXT_MAX`] (8,192) + 500 people whom a STAT calls (4,000) +
/// [`MENTIONS_MAX`] x 8 bytes (128) + message id, numbers, tags and what it is to an order (200) + 8 files of 144; then `ChangeMembers`, 2 x 500 people x 8 bytes packed (8,000) + tags. The next power of two.
pub const CLIENT_FRAME_MAX: usize = 16 * 1024;

/// A box's frame: a page of 100 messages of 8,192 bytes would be 819,200, so a page also ends at
/// [`PAGE_BYTES_MAX`]; one message more may still go in, and a conversation of 500 members is 500 x 35 = 17,500.
pub const SERVER_FRAME_MAX: usize = 128 * 1024;

/// Bytes of text after which a page of messages ends: half of a frame, so that one last message of 8 KiB and all
/// tags fit.
pub const PAGE_BYTES_MAX: usize = 64 * 1024;

/// Messages on one page of history.
pub const PAGE_MESSAGES_MAX: u32 = 100;

/// One message's text in bytes of UTF-8: about three pages of type. Longer things are attachments.
pub const TEXT_MAX: usize = 8 * 1024;

/// What sealing adds to a body: nonce 12 + tag 16 (AES-256-GCM, NIST SP 800-38D).
pub const SEAL_OVERHEAD: usize = 28;

/// A name or title of a person, device, group. 64 bytes hold 16 letters of any script and 64 of English.
pub const NAME_MAX: usize = 64;
/// A group's title.
pub const TITLE_MAX: usize = 80;

/// People in a facility's directory, leavers included. Memory: about 300 bytes each (two names of 64, allocation,
/// tree overhead), 15 MB.
pub const PEOPLE_MAX: usize = 50_000;

/// Devices one person may hold at a time, revoked ones not counted. Phone, desk, tablet, spare; doubled.
pub const DEVICES_PER_PERSON_MAX: usize = 8;

/// Devices in all, revoked ones included: they stay for the audit. About 400 bytes each, and 100 for finding it by its
/// key: 50 MB.
pub const DEVICES_MAX: usize = 100_000;

/// Conversations, purged ones included. About 250 bytes each: 250 MB at the very end, 25 MB for the first hundred
/// thousand, which is ten years of a 300-bed hospital's patients.
pub const CONVERSATIONS_MAX: usize = 1_000_000;

/// Members of one group. A message to it wakes at most 500 x [`DEVICES_PER_PERSON_MAX`] connections.
pub const MEMBERS_MAX: usize = 500;

/// Past and present members of one group. Past ones are kept so that their devices learn that it is gone: 2,000 x 60
/// bytes = 120 kB for a group that everybody went through.
pub const MEMBERS_EVER_MAX: usize = 4 * MEMBERS_MAX;

/// Conversations one person may be a member of: 2,000 x 120 bytes = 240 kB a person. Nobody but a script gets near: a
/// nurse has some hundred.
pub const MEMBERSHIPS_PER_PERSON_MAX: usize = 2_000;

/// Memberships up to which others may add a person, or open a conversation with them: the last quarter of
/// [`MEMBERSHIPS_PER_PERSON_MAX`] is for what the person opens.
pub const MEMBERSHIPS_BY_OTHERS_MAX: usize = MEMBERSHIPS_PER_PERSON_MAX / 4 * 3;

/// Groups of one owner that one person is in at a time. So it takes ten accounts to fill a colleague's list (by channels, seven
/// that work in the same three units: [`CHANNELS_OF_OWNER_MAX`]), each addition is in the audit, and the colleague may leave.
pub const GROUPS_SHARED_MAX: u32 = 150;

/// Units of a facility: the largest hospitals have some hundred. All go into one frame: 300 x 80 bytes = 24 kB.
pub const UNITS_MAX: usize = 300;

/// Posts of one person: somebody of a float pool works in most units of a building. 16 x 40 bytes for each of
/// [`PEOPLE_MAX`] would be 32 MB.
pub const POSTS_MAX: usize = 16;

/// Posts that one device may give and take: a whole shift's at once, then one in ten seconds, some 3 MB a day. Everybody who is
/// connected hears of each: 30,000 x 250 bytes once, where a message to the largest group is 4,000.
pub const POSTS: Rate = Rate { per_thousand_seconds: 100, burst: 60 };

/// Channels of one unit, archived ones included, purged ones not. Whoever loses a post leaves them all in one turn: 200 x 2
/// writes, and for each its members told: 200 x 500 x [`DEVICES_PER_PERSON_MAX`] at the very most.
pub const CHANNELS_OF_UNIT_MAX: usize = 200;

/// Those of them that one person owns: so it takes ten people to use up a unit's.
pub const CHANNELS_OF_OWNER_MAX: usize = CHANNELS_OF_UNIT_MAX / 10;

/// Channels on one page: 200 x 130 bytes = 26 kB.
pub const CHANNELS_PAGE_MAX: usize = 200;

/// Members up to which watermarks are pushed to everybody. A message to n members causes up to n receipts, each to
/// n - 1 others: 16 x 15 = 240 small frames; at 500 it would be 249,500.
pub const WATERMARK_PUSH_MEMBERS_MAX: usize = 16;

/// Messages in one conversation: random 96-bit nonces under one key collide with probability n^2 / 2^97
/// (NIST SP 800-38D, 8.3 allows 2^32): at 2^28 that is 2^-41. 2^28 is one message a second for eight years.
pub const CONVERSATION_MESSAGES_MAX: u64 = 1 << 28;

/// Join codes alive at a time: a whole facility of 2,000 joining on one day, doubled.
pub const JOIN_CODES_MAX: usize = 4_000;

/// Join codes alive at a time for one person: one for each device they may hold; one more ends the oldest. So it takes a
/// charge nurse of 500 people to use up [`JOIN_CODES_MAX`].
pub const JOIN_CODES_OF_PERSON_MAX: usize = DEVICES_PER_PERSON_MAX;

/// Bits of a join code: ten characters of 5. With 4,000 codes alive (2^12) a guess succeeds once in 2^38; at
/// [`JOIN_GUESSES`] from everywhere together that is 17 years.
pub const JOIN_CODE_CHARACTERS: usize = 10;

/// Join codes, right or wrong, that the box looks at from everywhere together; the rest are told to slow down.
pub const JOIN_GUESSES: Rate = Rate::per_second(500, 1_000);

/// Join codes, right or wrong, from one source: a class of twenty behind one address, then one a second. A right one costs
/// as much, since each makes the box stretch a PIN. So who floods with guesses stops their own joining; everybody's, only
/// from 500 addresses at once.
pub const JOIN_GUESSES_OF_ONE: Rate = Rate::per_second(1, 20);

/// Sources whose wrong guesses are remembered. About 60 bytes each: 240 kB. Beyond, those that have nothing left to
/// remember go first, and new ones are held to [`JOIN_GUESSES`] alone.
pub const GUESSERS_MAX: usize = 4_096;

/// What a device that is not signed in can have written in the audit under its identifier: forged signatures, refused
/// sign-ins, PINs that never come. An attacker's first twenty an hour tell as much as all of them.
pub const UNPROVEN_RECORDS_MAX: u32 = 20;
/// See [`UNPROVEN_RECORDS_MAX`]. Milliseconds.
pub const UNPROVEN_RECORDS_MS: u64 = 3_600_000;

/// Wrong PINs that lock a device (NIST SP 800-63B, 5.2.2 allows 100; ten of a million is 10^-5).
pub const PIN_TRIES_MAX: u32 = 10;
/// Milliseconds that a code for a locked device lives: whoever gives it stands beside whoever types it.
pub const PIN_CODE_MS: u64 = 600_000;
/// Wrong codes on a locked device that end the right one. Of 2^50 it is found by one in 2^47 of thieves.
pub const PIN_CODE_TRIES_MAX: u32 = 5;
/// Codes for locked devices alive at a time: 256 people within ten minutes. About 100 bytes each: 26 kB.
pub const PIN_CODES_MAX: usize = 256;
/// Shortest PIN, in characters.
pub const PIN_CHARACTERS_MIN: usize = 6;
/// Longest PIN, in bytes.
pub const PIN_BYTES_MAX: usize = 64;

/// Connections at a time: 20,000 devices, half again for the ones that roam and have not been given up yet. About
/// 300 bytes each in the core: 9 MB.
pub const CONNECTIONS_MAX: usize = 30_000;

/// Connections that have not signed in yet. One address may open 2,564 at once and 110 a second (the relay's defaults, those
/// that had to prove it and those that had not), and holds each for [`PROOF_TIME_MAX_MS`]: 2,564 + 15 x 110 = 4,214. So one
/// address cannot take them all. Where a PIN is waited for it is longer, but then of one connection of each device.
pub const CONNECTIONS_UNPROVEN_MAX: usize = 6_000;

/// Milliseconds from connecting to having proved a device: a bad minute of Wi-Fi, not a parked socket.
pub const PROOF_TIME_MAX_MS: u64 = 15_000;

/// Milliseconds a person may take for the PIN before the connection closes.
pub const PIN_TIME_MAX_MS: u64 = 120_000;

/// How long what was composed may still come from a locked session: a shift, and the way home and back. Older, its author unlocks.
pub const LEASE_MS: u64 = 24 * 3_600_000;
/// Submissions a second of one device, sustained, and at once. A person does not reach 5; an integration's service
/// account may. One device at its limit takes 400 of some 6,000 a second.
pub const SUBMITS: Rate = Rate::per_second(400, 800);

/// Bytes of sealed text that one device may submit: a long day's worth at once, then what a fast typist cannot reach. At
/// its limit it fills 5.6 GB a day, so a disk that fills shows for days before it is full.
pub const TEXT_BYTES: Rate = Rate::per_second(64 * 1024, 64 << 20);

/// Sign-ins of one device: a bad day of roaming at once, then one a second, as a script that signs in for each message
/// does. Each writes some 200 bytes, on a scarce disk too: 17 MB a day at the limit, half of that reserve.
pub const SIGN_INS: Rate = Rate::per_second(1, 100);

/// Synchronisations that one device may begin: each may read a snapshot.
pub const SYNCS: Rate = Rate::per_second(1, 100);

/// Pages of history of one device, each of which is recorded: 60 bytes; and of channels.
pub const PAGES: Rate = Rate::per_second(10, 500);

/// People that one device may bring into conversations or take out of them, and titles and archives that it changes: two of
/// the largest groups at once, then one a second. Each is a row and an audit entry.
pub const MEMBER_CHANGES: Rate = Rate::per_second(1, 2 * MEMBERS_MAX as u64);

/// Conversations that one device may open: a morning's worth at once, then one in five seconds. One device alone would
/// need two months to bring [`CONVERSATIONS_MAX`] about, whatever it locks, unlocks or reconnects.
pub const OPENS: Rate = Rate { per_thousand_seconds: 200, burst: 200 };

/// Requests a second of one connection, of any kind, sustained and at once: what a submission and its receipts cost,
/// doubled.
pub const REQUESTS: Rate = Rate::per_second(1_000, 2_000);

/// Free bytes under which new bodies are refused while acknowledgements, audit, revocation and purges go on:
/// 64 MiB is 100,000 audit entries and a WAL of 16 MiB, three times over.
pub const DISK_RESERVE_BYTES: u64 = 64 << 20;

/// Free bytes under which receipts, looks at history and additions to groups are refused too, so that nobody signed in
/// can use up what sign-ins, locks, revocations and purges still need: some 200,000 audit entries of 80 bytes beside
/// the WAL.
pub const DISK_SCARCE_BYTES: u64 = DISK_RESERVE_BYTES / 2;

/// Devices in an administrator's list of one person's: all that may sign in, then revoked ones, up to this many.
/// 200 x 90 bytes = 18 kB.
pub const DEVICES_LISTED_MAX: usize = 200;

/// People on one page of the directory: 200 x 150 bytes = 30 kB, and 200 more each for who has every post there can be:
/// 70 kB; with 85 for who sent them from an agency 87 kB.
pub const PEOPLE_PAGE_MAX: usize = 200;

/// Missed messages up to which a cursor is caught up message by message; beyond, a snapshot with the newest of
/// each conversation is quicker for both sides. A person gets some 200 a day: seven weeks.
pub const CATCH_UP_MAX: usize = 10_000;

/// Newest messages of each conversation in a snapshot.
pub const SNAPSHOT_MESSAGES: u32 = 30;

/// Messages that one look for old ones deletes of one conversation. A step of the retention policy from a year to a month
/// goes in slices of this, so that nobody waits behind the whole: 256 rows of 300 bytes are 77 kB of a commit.
pub const EXPIRED_AT_ONCE: u64 = 256;

/// Milliseconds that a clock may step back without being seen to: more than NTP corrects in a step on a box that runs.
pub const CLOCK_STEP_MAX_MS: u64 = 5 * 60_000;

/// Steps of an escalation before the station screens: the longest that was ever asked for is five.
pub const ESCALATION_STEPS_MAX: usize = 8;

/// Shortest and longest step. Seconds: nobody reads and answers in less than a quarter of a minute, and what may wait for more
/// than an hour is no STAT.
pub const STEP_WAIT_MIN_S: u16 = 15;
/// See [`STEP_WAIT_MIN_S`].
pub const STEP_WAIT_MAX_S: u16 = 3_600;

/// A telephone number. Bytes: "+49 (30) 90182-0000 x1234" has 25.
pub const DIAL_MAX: usize = 32;

/// People for whom one step rings: as many as are in the largest conversation.
pub const RUNG_AT_ONCE_MAX: usize = MEMBERS_MAX;

/// People called by a STAT who are named to the members of its conversation: the first, by identifier. 100 x 16 bytes.
pub const CALLED_SHOWN_MAX: usize = 100;

/// Open STATs that somebody who comes into a conversation is told with it, the newest: 20 x (100 x 16 + 120 + a call note of 230) bytes, 39 kB
/// beside the 17.5 of the largest list of members.
pub const STATS_SHOWN_MAX: usize = 20;

/// STATs that nobody has answered, in the whole facility; one more is refused, and its sender told to call. At most
/// 500 x 8 steps x [`RUNG_AT_ONCE_MAX`] x 32 bytes = 64 MB, if every step of each rings for five hundred others; some 300 kB in
/// fact.
pub const ESCALATIONS_UNANSWERED_MAX: usize = 500;

/// Of them, one sender's: so one device cannot use up everybody's.
pub const ESCALATIONS_OF_ONE_MAX: usize = 20;

/// Figures on STATs are counted over so long at most: 400 days, a year and the month before it.
pub const STAT_LOAD_SPAN_MS: u64 = 400 * 86_400_000;

/// A minute: what a call note's time is said by.
pub const MINUTE_MS: i64 = 60_000;

/// A call note may be so much ahead of the box's clock: what the clock of a device that shows the same minute may differ.
pub const CALL_AHEAD_MS: u64 = 60_000;

/// Signed answers that are kept of one STAT, the newest. A step rings for some twenty, and each says one thing; one device says 60 a minute
/// at most ([`STAT_ANSWERS`]). 32 x 450 bytes = 14 kB.
pub const STAT_SIGNED_MAX: usize = 32;

/// Signed answers on one page of history, the newest, beside its messages: 12 x 430 bytes = 5.2 kB, which with [`PAGE_BYTES_MAX`], what stands
/// beside messages and the notices ([`NOTICES_KEPT_MAX`]) stays below [`SERVER_FRAME_MAX`]. On a page of one message there is room for all of
/// its [`STAT_SIGNED_MAX`]: [`signed_on_page`].
pub const PAGE_SIGNED_MAX: usize = 12;

/// How many signed answers stand on a page of so many messages at most.
pub const fn signed_on_page(messages: u32) -> usize {
    if messages == 1 { STAT_SIGNED_MAX } else { PAGE_SIGNED_MAX }
}

/// STATs that one look at the figures counts. Those of one unit or all at 250 a day for 400 days; of each, four bytes of memory while they
/// are sorted: 400 kB.
pub const STAT_LOAD_ROWS_MAX: u32 = 100_000;

/// STATs that are open, answered ones included; of those the oldest give way.
pub const ESCALATIONS_MAX: usize = 4 * ESCALATIONS_UNANSWERED_MAX;

/// How long somebody who says "coming" holds it. Milliseconds.
pub const STAT_HELD_MS: u64 = 60_000;

/// Within this an answered STAT rings again when the shift of whoever has it ends; later it is taken for dealt with, and closed.
/// Milliseconds.
pub const STAT_FRESH_MS: u64 = 30 * 60_000;

/// How long an answered STAT can be handed back. Milliseconds: longer than the longest shift.
pub const STAT_ANSWERED_KEPT_MS: u64 = 24 * 3_600_000;

/// A device that spoke from the foreground in so long can be reached. Milliseconds.
pub const REACHABLE_MS: u64 = 20_000;

/// How often an app that is open says so. Milliseconds: two may be lost before it counts as closed. 5,000 open apps are 500
/// frames a second, which write nothing.
pub const HERE_MS: u64 = 8_000;

/// How soon a step at which nobody can be reached is passed over, and how often it is looked. Milliseconds: under five
/// seconds.
pub const REACHABLE_LOOK_MS: u64 = 4_000;

/// How soon after a start that is looked first: phones need some seconds to find the box again. Milliseconds.
pub const REACHABLE_LOOK_AFTER_START_MS: u64 = 30_000;

/// How long it is remembered when a device was last heard. Milliseconds. About 40 bytes each: 4 MB for [`DEVICES_MAX`].
pub const HEARD_KEPT_MS: u64 = 3_600_000;

/// STATs that one device may send: a resuscitation's worth at once, then one in twenty seconds.
pub const STATS: Rate = Rate { per_thousand_seconds: 50, burst: 10 };

/// Answers to STATs of one device, and looks at who can be reached.
pub const STAT_ANSWERS: Rate = Rate::per_second(1, 60);

/// People of whom a look before sending names each: 100 x 20 bytes.
pub const PROSPECT_PEOPLE_MAX: usize = 100;

/// Station screens of one unit: each of its desks and corridors.
pub const STATIONS_OF_UNIT_MAX: usize = 32;

// Rotas: see `rota.rs`.

/// Bytes of a time zone's name: the longest of the IANA database has 32, doubled.
pub const ROTA_ZONE_NAME_MAX: usize = 64;

/// The first year that a rota's dates may be in.
pub const ROTA_FIRST_YEAR: i16 = 2000;
/// The last one. Days since 1970 then fit 16 bits, and minutes 32.
pub const ROTA_LAST_YEAR: i16 = 2099;

/// People who hold a role at a time: a resuscitation team with its doubles has ten.
pub const ROTA_PLACES_MAX: usize = 16;

/// Weeks after which a weekly pattern begins anew.
pub const ROTA_WEEKS_MAX: u8 = 8;

/// Minutes of one shift of a pattern: a week on call.
pub const ROTA_SHIFT_MINUTES_MAX: u32 = 7 * 24 * 60;

/// Weekly patterns of one rota: a first, a backup and two more places, each eight times a year anew.
pub const ROTA_PATTERNS_MAX: usize = 32;

/// Shifts of all patterns of one rota. The densest one, of four hours each over eight weeks, has 8 x 7 x 6 = 336: three of them.
/// With a team of sixteen each, 1,024 x (16 x 9 + 14) = 162 kB; with one person, 24 kB.
pub const ROTA_SHIFTS_MAX: usize = 1_024;

/// Exceptions of one rota that are not over: two thirds of a year's days. With teams of sixteen 256 x (16 x 9 + 17) = 42 kB.
pub const ROTA_EXCEPTIONS_MAX: usize = 256;

/// Hand-overs by hand of one rota that are not over: each replaces what is under way, so two or three are usual. With teams of
/// sixteen 64 x (16 x 9 + 25) = 11 kB.
pub const ROTA_BY_HAND_MAX: usize = 64;

/// Minutes of one exception, or of one hand-over by hand: a month of leave.
pub const ROTA_ENTRY_MINUTES_MAX: u32 = 31 * 24 * 60;

/// Imported shifts of one rota: 400 days x 6 shifts x 3 places = 7,200, the next power of two. x 31 bytes = 254 kB.
pub const ROTA_IMPORTED_MAX: usize = 8_192;

/// A rota as bytes: 162 + 42 + 11 + 254 kB and 1 kB of patterns = 470 kB, the next power of two. An ordinary one, of six
/// shifts a week, has 200 bytes.
pub const ROTA_BYTES_MAX: usize = 512 * 1024;

/// Milliseconds ahead in which every minute must end at somebody: 14 days.
pub const ROTA_AHEAD_MS: u64 = 14 * 24 * 3_600_000;

/// A calendar's bytes: 2,000 events of 500 bytes each.
pub const CALENDAR_BYTES_MAX: usize = 1 << 20;

/// Events of a calendar that are read: five shifts a day for 400 days.
pub const CALENDAR_EVENTS_MAX: usize = 2_000;

/// Bytes of a calendar's line, put together again, where it is one that is read. Others may be longer: an invitation's text, of
/// which nothing is kept.
pub const CALENDAR_LINE_MAX: usize = 8 * 1024;

/// Components within one another: calendar, event and its alarm are three.
pub const CALENDAR_DEPTH_MAX: usize = 8;

/// Days ahead for which a calendar is read: a year's rota and its last month's slack.
pub const CALENDAR_AHEAD_DAYS: u16 = 400;

/// Shifts of a calendar before those of one person that meet are put together: 16,384 x 40 bytes = 655 kB while it is read. Twice
/// what a rota takes.
pub const CALENDAR_SHIFTS_MAX: usize = 2 * ROTA_IMPORTED_MAX;
/// A record number.
pub const RECORD_NUMBER_MAX: usize = 32;

/// A bed's name: "B-12".
pub const BED_MAX: usize = 16;

/// Patients there ever were: twenty years of a 300-bed hospital's. About 250 bytes each with the index: 50 MB at the very end.
pub const PATIENTS_MAX: usize = 200_000;

/// Records of one patient that are merged, the surviving one included: somebody who was numbered anew in three departments. Each may
/// have an open stay, whose care team reads the threads of the others: 4 x ([`ASSIGNMENTS_OF_UNIT_MAX`] + [`CARE_TEAM_MAX`] + 1) = 1,404
/// members of one thread at the very most, x 35 bytes = 49 kB of a frame.
pub const RECORDS_OF_PATIENT_MAX: usize = 4;

/// Stays that a look at a merge lists, the open ones first, with how many more there are: 20 x 110 bytes.
pub const MERGE_STAYS_SHOWN_MAX: usize = 20;

/// Patients admitted at a time: twice the beds of a large hospital. About 300 bytes each: 600 kB.
pub const ENCOUNTERS_OPEN_MAX: usize = 2_000;

/// Encounters in memory: those that are open, and those that were discharged and are not put away yet, 31 days by default.
/// [`ENCOUNTERS_OPEN_MAX`] beds with a new patient every other day are 31,000. 40,000 x 300 bytes are 12 MB. One that is put
/// away leaves its patient ([`PATIENTS_MAX`]) and its thread ([`CONVERSATIONS_MAX`]).
pub const ENCOUNTERS_KEPT_MAX: usize = 40_000;

/// Notices that a patient's thread keeps, the newest: a month of three shifts a day, in and out of two people each, is 360. On a page of
/// history they come beside its messages: 400 x 92 bytes = 36.8 kB, which with [`PAGE_BYTES_MAX`] and the rest stays below
/// [`SERVER_FRAME_MAX`].
pub const NOTICES_KEPT_MAX: u32 = 400;

/// The newest notices of each thread in a snapshot.
pub const SNAPSHOT_NOTICES: u32 = 20;

/// People in one care team by hand.
pub const CARE_TEAM_MAX: usize = 50;

/// Beds that one assignment names; who has more takes the whole unit. 64 x 16 bytes are 1 kB of a request.
pub const BEDS_OF_ASSIGNMENT_MAX: usize = 64;

/// Assignments at a time: two for each bed of [`ENCOUNTERS_OPEN_MAX`]. With its beds and its patients at most 64 x 80 bytes,
/// 20 MB if all were that large.
pub const ASSIGNMENTS_MAX: usize = 4_000;

/// Those of one unit: so it takes fourteen units to use them up. Whoever comes into a bed of the unit may bring so many people
/// into the thread: 300 x 35 bytes of a frame, for each unit that a patient passes through within a shift.
pub const ASSIGNMENTS_OF_UNIT_MAX: usize = 300;

/// Those of one person: two shifts that meet, in several units of a float pool. What they bring somebody into is not refused for
/// [`MEMBERSHIPS_PER_PERSON_MAX`], since care does not wait: at most [`ENCOUNTERS_OPEN_MAX`] threads more, until the shift ends.
/// Nor is it for [`MEMBERS_EVER_MAX`]: the thread of a resident of many years remembers whoever ever had their bed, 60 bytes each.
pub const ASSIGNMENTS_OF_PERSON_MAX: usize = 8;

/// The longest that an assignment lasts: a double shift. Milliseconds.
pub const ASSIGNMENT_TIME_MAX_MS: u64 = 16 * 3_600_000;

/// Patients on one page: 200 x 400 bytes = 80 kB, where each has three merged records.
pub const PATIENTS_PAGE_MAX: usize = 200;

/// Beds on one page, which also ends at [`PAGE_BYTES_MAX`]: a bed may be held by [`ASSIGNMENTS_OF_UNIT_MAX`] people of 30 bytes.
pub const BEDS_PAGE_MAX: usize = 200;

/// Roles of a facility: some for each unit. A rota of the wire's size is some 40 kB: 500 x 40 kB = 20 MB at the very most, and 1 MB in
/// fact.
pub const ROLES_MAX: usize = 500;

/// Roles that there ever were, with those that are retired: of one of these some 150 bytes, 2,000 x 150 bytes = 300 kB.
pub const ROLES_EVER_MAX: usize = 4 * ROLES_MAX;

/// Shifts of a calendar in one request: 512 x 30 bytes = 15 kB, in a frame of [`CLIENT_FRAME_MAX`].
pub const IMPORT_SHIFTS_MAX: usize = 512;

/// Shifts of a calendar that a role keeps: five a day for [`CALENDAR_AHEAD_DAYS`]. 2,048 x 30 bytes = 60 kB, of all roles 30 MB at the very
/// most; every change of the role writes them again.
pub const ROLE_IMPORTED_MAX: usize = 2_048;

/// Roles on one page, which also ends at [`PAGE_BYTES_MAX`]: of each the next two weeks are worked out.
pub const ROLES_PAGE_MAX: usize = 50;

/// Conversations with one role that are not done: each is one more of whoever holds it, beside [`MEMBERSHIPS_PER_PERSON_MAX`], since a
/// shift does not wait. 64 for each of [`ROLES_MAX`] x 60 bytes = 2 MB at the very most. Who was ever in one is remembered beyond
/// [`MEMBERS_EVER_MAX`], 60 bytes each.
pub const ROLE_INBOXES_OPEN_MAX: usize = 64;

/// People who look after what is written to a role that nobody holds: the charge nurses of a large unit.
pub const ROLE_COVER_MAX: usize = 16;

/// How far ahead a time in which nobody will hold a role is told, in milliseconds: a day, and the hour between two looks.
pub const ROLE_GAP_AHEAD_MS: u64 = 25 * 3_600_000;

/// Gaps of one role that are remembered as told: [`ROLES_MAX`] x 8 x 16 bytes = 64 kB.
pub const ROLE_GAPS_FLAGGED_MAX: usize = 8;

/// People who may announce to the facility: a page of 64 x 9 bytes.
pub const ANNOUNCERS_MAX: usize = 64;

/// How long an offer of a role waits for an answer once it may be accepted, in milliseconds: two hours, which is a late colleague.
pub const OFFER_MS: u64 = 2 * 3_600_000;

/// Offers of roles that wait for one person. With [`ROTA_PLACES_MAX`] of each of [`ROLES_MAX`] roles, 8,000 x 70 bytes = 560 kB at the
/// very most.
pub const OFFERS_OF_ONE_MAX: usize = 16;

/// Offers on one page, which also ends at [`PAGE_BYTES_MAX`]: each looks at every open STAT.
pub const OFFERS_PAGE_MAX: usize = 20;

/// Open STATs that an offer shows, the newest: 20 x 110 bytes.
pub const OFFER_STATS_SHOWN_MAX: usize = 20;

/// Gaps of a role that are shown; who closes one sees the next.
pub const ROLE_GAPS_SHOWN_MAX: usize = 5;

/// One search as typed, in bytes: [`SEARCH_WORDS_MAX`] words of 25 letters, twice that where a letter takes two bytes.
pub const SEARCH_QUERY_MAX: usize = 400;

/// Words of one search: each is a walk through an index of its own.
pub const SEARCH_WORDS_MAX: usize = 8;

/// Bytes of one term of the index: the longest words that people write have some forty letters.
pub const SEARCH_TERM_MAX: usize = 64;

/// Terms of one message that can be found. A full page of type has some 400 different words, so three pages ([`TEXT_MAX`]) have
/// fewer; only a table of numbers has more.
pub const SEARCH_TERMS_OF_MESSAGE_MAX: usize = 1_024;

/// Hits on one page, which also ends at [`PAGE_BYTES_MAX`], as a page of history does.
pub const SEARCH_HITS_MAX: u32 = 50;

/// Hits that are counted; beyond, there are more.
pub const SEARCH_COUNT_MAX: usize = 1_000;

/// Hits whose texts one page looks into where quoted words must follow each other: 500 x some 20 us to read and open one are
/// 10 ms.
pub const SEARCH_TEXTS_MAX: usize = 500;

/// Rows of the index that one search may read, all of them of messages that the person may see: a word that stands in every
/// message of 2,000 conversations is some 4,000 rows. 65,536 x about 1 us are 66 ms. What one block has of a word
/// is held at once (`look.rs`).
pub const SEARCH_ROWS_MAX: usize = 65_536;

/// People, and patients, that one search shows at most: 50 x (220 + 11 x [`POSTS_MAX`]) + 50 x 470 = 43 kB.
pub const LOOK_UP_HITS_MAX: u32 = 50;

/// Stays that one search looks at, all of them of patients whom the person may see: a charge nurse of two large wards who is in a
/// hundred threads has some 200. 4,096 x some 15 us to take a name apart are 60 ms, for whoever leads every unit of a hospital; more are
/// refused. People are found by an index of words: of 8 words that each begin every second name 8 x 25,000 steps, 20 ms.
pub const LOOK_UP_STAYS_MAX: usize = 4_096;

/// Searches of one device: a person types one in some seconds, and a page is one more. Each is recorded: 40 bytes, 7 MB a day at
/// the limit; and takes some milliseconds of a core, up to [`SEARCH_ROWS_MAX`].
pub const SEARCHES: Rate = Rate::per_second(2, 60);

/// For how long its author may edit a message. Milliseconds: a slip is seen in the first minutes; what was read and acted upon since is
/// corrected by another message.
pub const EDIT_MS: u64 = 15 * 60_000;

/// How often a message may be edited.
pub const EDITS_MAX: u32 = 10;

/// For how long its author may recall a message. Milliseconds: until the end of the shift after the one in which it was sent to the wrong
/// people.
pub const RECALL_MS: u64 = 24 * 3_600_000;

/// Edits and recalls of one device. Each empties the write-ahead log, some milliseconds of a disk.
pub const ALTERATIONS: Rate = Rate { per_thousand_seconds: 500, burst: 30 };

/// Edits, recalls and reactions that are remembered after they were decided, so that a look at the store which began before them is seen
/// to be old. Such a look is at most some batches old, of 1,024 inputs each; 4,096 x (80 bytes + [`REACTORS_MAX`] x 16) = 3.6 MB at
/// the very most, 600 kB in fact.
pub const ALTERATIONS_REMEMBERED: usize = 4_096;

/// People and roles that a message names: more is everybody, and they read it anyway. 16 x 16 bytes of a row, 16 x 21 of a frame.
pub const MENTIONS_MAX: usize = 16;

/// People who may react to one message: all of a large ward's. All of them are named to everybody who reads it: 50 x 6 kinds x 8 bytes
/// and 60 of tags = 2.5 kB, which counts towards [`PAGE_BYTES_MAX`]; 50 x 9 bytes of a row.
pub const REACTORS_MAX: usize = 50;

/// Reactions that one device gives and takes back: a thread read after a night off at once, then one in a second. Each is a row of
/// [`REACTORS_MAX`] x 9 bytes, an entry in the audit of 30 and at most 2.5 kB to each who is connected: as a small message.
pub const REACTIONS: Rate = Rate::per_second(1, 60);

/// Looks at how far changes have come, a minute apart: [`RECALL_MS`] of them and one. x 16 bytes = 23 kB.
pub const AGE_LOOKS: usize = 1_441;

/// The largest file that any policy takes, in bytes: a minute of uncompressed audio, six photos of a phone. A gigabit's worth of a
/// second, and a minute of bad Wi-Fi.
pub const ATTACHMENT_BYTES_MAX: u32 = 64 << 20;

/// The least that a policy may set as a largest file, in bytes: less is no photo, and a mistaken unit.
pub const ATTACHMENT_BYTES_MIN: u32 = 1_024;

/// The largest file of each sort until somebody says otherwise, in bytes: what phones' cameras and scanners make stays below.
pub const ATTACHMENT_BYTES_STANDARD: u32 = 25 << 20;

/// Files of one message. Each is some [`ATTACHMENT_WIRE_MAX`] bytes of the message's frame, 1.7 kB in all.
pub const ATTACHMENTS_OF_MESSAGE_MAX: usize = 8;

/// A file's name, in bytes.
pub const ATTACHMENT_NAME_MAX: usize = 120;

/// A file as a message shows it, in bytes: its name, SHA-256 (34), length (11), type and tags (15), for the sums of pages.
pub const ATTACHMENT_WIRE_MAX: usize = ATTACHMENT_NAME_MAX + 60;

/// A small picture of a file, in bytes: 160 x 120 in JPEG are 4 to 8 kB. In one request with the rest, 130 bytes.
pub const THUMBNAIL_MAX: usize = 10 * 1024;

/// A file's first bytes by which its type is told.
pub const SNIFFED_BYTES: usize = 12;

/// Bytes of a file that are sealed together, and after which an upload can go on: 64 MiB are 1,024 of them, each of 28 bytes more.
pub const ATTACHMENT_PIECE: usize = 64 * 1024;

/// Files of one device that were begun and belong to no message: two messages' worth.
pub const UPLOADS_OF_DEVICE_MAX: usize = 2 * ATTACHMENTS_OF_MESSAGE_MAX;

/// Such files of the whole facility. About 300 bytes each: 600 kB.
pub const UPLOADS_MAX: usize = 2_000;

/// How long such a file is kept. Milliseconds: over a night, so that a phone whose battery died goes on in the morning. As long as
/// [`AGE_LOOKS`] tells ages.
pub const UPLOAD_KEPT_MS: u64 = 24 * 3_600_000;

/// Bytes of files that one device may announce: a whole shift's photos at once, then 256 kB a second. At its limit it fills 22 GB a day,
/// so a disk that fills shows for days before it is full.
pub const FILE_BYTES: Rate = Rate::per_second(256 * 1024, 1 << 30);

/// Requests of one device about files: to begin, to finish, to open. Each is recorded.
pub const ATTACHING: Rate = Rate::per_second(10, 500);

/// Free bytes that must be left when everything that was announced has come: twice [`DISK_RESERVE_BYTES`], since whoever sends words
/// must not wait because somebody sends pictures.
pub const DISK_FILES_BYTES: u64 = 2 * DISK_RESERVE_BYTES;

/// Emergency access to a patient's thread, in milliseconds: an hour. What takes longer is an assignment, or a place in the care team;
/// who needs it again says again why.
pub const EMERGENCY_MS: u64 = 3_600_000;

/// Emergency accesses of one person at a time: a bay of patients in one event.
pub const EMERGENCIES_AT_ONCE_MAX: usize = 8;

/// Emergency accesses that go on, or that nobody has reviewed: 2,000 x some 700 bytes = 1.4 MB. A facility that reviews has some ten.
pub const EMERGENCIES_KEPT_MAX: usize = 2_000;

/// Emergency accesses on one page, which also ends at [`PAGE_BYTES_MAX`]: each has 800 bytes at most.
pub const EMERGENCIES_PAGE_MAX: usize = 50;

/// Hours that messages of a kind are kept when read, at most: ten years.
pub const RETENTION_HOURS_MAX: u32 = 87_600;

/// Exports of records at a time. Of each the core keeps which conversations belong to it: a person's are some
/// [`MEMBERSHIPS_PER_PERSON_MAX`] and what they have left, 48 bytes each; the relay keeps for each connection that reads one every patient's
/// name: [`PATIENTS_MAX`] x some 200 bytes = 40 MB at the very end.
pub const EXPORTS_MAX: usize = 2;

/// Milliseconds that an export is good for: 10 pages of 100 messages a second are 14 million.
pub const EXPORT_MS: u64 = 4 * 3_600_000;

/// Bytes of text on one page of an export, and of what became of its messages beside it; either may end the page. A message with its text
/// and files more may still go in, 11 kB, and the notices of a thread ([`NOTICES_KEPT_MAX`]), 37 kB: 107 kB, below [`SERVER_FRAME_MAX`]. What
/// became of one message is a STAT with [`CALLED_SHOWN_MAX`] x 16 bytes and a note, [`STAT_SIGNED_MAX`] x 450, an order with
/// [`ORDER_SIGNED_MAX`] x 330, and a task: 20 kB, and so always fits.
pub const EXPORT_TEXT_MAX: usize = 32 * 1024;
/// See [`EXPORT_TEXT_MAX`].
pub const EXPORT_ACTS_MAX: usize = 24 * 1024;

/// Conversations of an export on one page, which also ends at [`PAGE_BYTES_MAX`]: one has some 150 bytes, and of a family's thread 64 and
/// a name for each of its visitors.
pub const EXPORT_PLACES_PAGE_MAX: usize = 200;

/// Legal holds at a time: 500 x some 300 bytes = 150 kB. Of each conversation that would lose something it is asked whether one of them
/// keeps it: 500 looks, 64 conversations a second.
pub const HOLDS_MAX: usize = 500;

/// Legal holds on one page, which also ends at [`PAGE_BYTES_MAX`]: each has 800 bytes at most.
pub const HOLDS_PAGE_MAX: usize = 50;
/// A request to break the glass to a restricted patient waits so long for a second person, in milliseconds: long enough to call
/// somebody over, too short to be forgotten.
pub const EMERGENCY_REQUEST_MS: u64 = 5 * 60_000;

/// Such requests at a time, one of each person: 200 x some 700 bytes = 140 kB.
pub const EMERGENCY_REQUESTS_MAX: usize = 200;

/// Characters of the grounds of an emergency access: fewer say nothing.
pub const GROUNDS_MIN: usize = 10;

/// Bytes of the grounds: a few sentences.
pub const GROUNDS_MAX: usize = 500;

/// The longest that somebody from an agency is admitted for, and the furthest that an extension reaches from when it is given. As long as
/// an assignment. Milliseconds.
pub const AGENCY_TIME_MAX_MS: u64 = ASSIGNMENT_TIME_MAX_MS;

/// Times that one stay is extended: three shifts on end are more than anybody should work.
pub const AGENCY_EXTENSIONS_MAX: usize = 2;

/// Agency staff of one unit at a time: twice what a large ward has on a shift.
pub const AGENCY_OF_UNIT_MAX: usize = 60;

/// People from agencies there ever were, of [`PEOPLE_MAX`]: whoever admits strangers without end leaves the facility its places. With
/// two grounds of 500 bytes each and the name by which they are found, 20,000 x 1.4 kB = 28 MB at the very most, 6 MB in fact.
pub const AGENCY_EVER_MAX: usize = PEOPLE_MAX / 5 * 2;

/// Stays of agency staff on one page, which also ends at [`PAGE_BYTES_MAX`]: each has 1.2 kB at most.
pub const AGENCY_PAGE_MAX: usize = 100;

/// How long a visitor is let in when nobody says, in milliseconds: two weeks, which is most stays.
pub const VISIT_MS: u64 = 14 * 24 * 3_600_000;

/// The longest that a visitor is let in for at a time. Milliseconds: a month, so that a resident's family is looked at every month.
pub const VISIT_TIME_MAX_MS: u64 = 30 * 24 * 3_600_000;

/// Devices of one visitor at a time: phone, tablet, and the one that replaces a lost one.
pub const VISITOR_DEVICES_MAX: usize = 3;

/// Visitors of one stay at a time, over all its family threads: a large family.
pub const VISITORS_OF_STAY_MAX: usize = 20;

/// Visitors there ever were: they are kept, as leavers are, so that messages keep their author. A hospital of 300 beds lets in some
/// 5,000 a year. 50,000 x 400 bytes = 20 MB, beside [`PEOPLE_MAX`].
pub const VISITORS_EVER_MAX: usize = 50_000;

/// Family threads of one stay, ended ones included: brings that many threads more to everybody of the care team.
pub const FAMILY_THREADS_OF_STAY_MAX: usize = 20;

/// Names that a family thread shows, of those who are in it and were: 300 x 150 bytes = 45 kB, beside [`MEMBERS_MAX`] x 35.
pub const FAMILY_PEOPLE_SHOWN_MAX: usize = 300;

/// Names on one patient's block list: 32 x 66 bytes.
pub const FAMILY_BLOCKED_MAX: usize = 32;

/// How long a bedside code lives, in milliseconds: a month. It hangs at the bed, opens nothing, and ends with the next move.
pub const BEDSIDE_CODE_MS: u64 = 30 * 24 * 3_600_000;

/// How long a request to be let in waits, in milliseconds: over a round and a hand-over. What became of one that was declined is said for
/// as long.
pub const VISIT_REQUEST_MS: u64 = 4 * 3_600_000;

/// Requests of one stay that wait at a time: a family that comes together. More wait for a nurse to have answered.
pub const VISITS_WAITING_MAX: usize = 8;

/// Requests of one stay that were declined and are remembered: the oldest goes first.
pub const VISITS_DECLINED_KEPT: usize = 8;

/// Requests of the facility, declined ones included: 2,000 x 500 bytes = 1 MB.
pub const VISIT_REQUESTS_MAX: usize = 2_000;

/// Requests that the code of one bed is good for, whoever has it: as many as may wait at once, then one in a minute. Each stretches a PIN
/// and is a line in the patient's thread.
pub const VISITS_ASKED: Rate = Rate { per_thousand_seconds: 17, burst: VISITS_WAITING_MAX as u64 };

/// How long a charge nurse's suspension may wait for an administrator before it is overdue. Milliseconds: a day, so that whoever
/// administers by day sees it, and weekends stand out.
pub const SUSPENSION_WAITS_MS: u64 = 24 * 3_600_000;

/// Suspensions on one page: 200 x 40 bytes.
pub const SUSPENSIONS_PAGE_MAX: usize = 200;

/// STATs of a leaver that the answer to their suspension names; the rest rings all the same. 200 x 40 bytes, beside
/// [`ROLES_MAX`] x 20 and [`ASSIGNMENTS_OF_PERSON_MAX`] x 1.3 kB.
pub const STATS_LEFT_SHOWN_MAX: usize = 200;
