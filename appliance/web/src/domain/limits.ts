/** The protocol's limits (README.md, section 10) that a client keeps by itself, and this app's own. Bytes unless said otherwise. */

/** A frame of ours; the box closes above it. */
export const CLIENT_FRAME_MAX = 16_384;
/** A frame of the box's; we close above it. */
export const SERVER_FRAME_MAX = 131_072;
/** A message's text. */
export const TEXT_MAX = 8_192;
/** A device's name. */
export const NAME_MAX = 64;
/** A PIN: characters at least, bytes at most. */
export const PIN_CHARACTERS_MIN = 6;
export const PIN_MAX = 64;
export const JOIN_CODE_CHARACTERS = 10;
/** Messages on a page of history that we ask for, of 100 at most. */
export const HISTORY_PAGE = 50;
export const MENTIONS_MAX = 16;
/** Hours that a role is taken for by hand, of 16 at most: one shift. */
export const ROLE_HOURS = 12;

/** Units of a facility. */
export const UNITS_MAX = 300;
/** People of a directory. 50,000 of some 300 bytes are 15 MB; those beyond have no name here. */
export const PEOPLE_MAX = 50_000;
/** Conversations of a person. */
export const CONVERSATIONS_MAX = 2_000;
/** Members of one; a facility's announcements list oneself alone. */
export const MEMBERS_MAX = 500;
export const ROLES_MAX = 500;

/** Messages kept of a conversation that is not on the screen: the 30 of a snapshot, and a shift's more. */
export const MESSAGES_KEPT = 60;
/** Messages kept of the one that is: 200 pages of history. */
export const MESSAGES_OPEN_MAX = 10_000;
/** Characters of their text: 800 of each, 16 MB as strings are held. */
export const TEXT_OPEN_MAX = 8_000_000;
/** Characters of text kept in all. 2,000 conversations with 60 messages of 200 characters are 24 million, 48 MB as strings are held. */
export const TEXT_KEPT_MAX = 24_000_000;
/** STATs kept of a conversation: 20 open ones of each of a few senders, and those that were answered lately. */
export const STATS_KEPT = 200;
/** Orders kept of a conversation: 200 that are not filed, and as many that are. */
export const ORDERS_KEPT = 400;

/** Notices kept of a thread: as many as the box keeps. */
export const NOTICES_KEPT = 400;
/** Tasks that are over, as far as this app saw them end: a shift's. */
export const TASKS_OVER_KEPT = 50;

/** Messages that may wait: 500 of 8 KiB are 4 MB, on the disk as much again for the sealing. */
export const OUTBOX_MAX = 500;
/** Submissions under way at a time, each of another conversation. */
export const SUBMITS_MAX = 64;
/** Drafts: 20 of 8 KiB are 160 kB, written once a second at the most. The oldest goes. */
export const DRAFTS_MAX = 20;
/** Receipts that go at once, every 200 ms: 500 a second, half of what a box takes of requests. */
export const RECEIPTS_AT_ONCE = 100;
/** What rings on this device: as many STATs as a facility may have open. */
export const RINGS_MAX = 500;
