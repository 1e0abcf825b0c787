/** What opens a sheet of its own about one message. */
export type MessageAct = 'edit' | 'recall';

/** And about a whole conversation. */
export type HeadAct = 'add' | 'remove' | 'rename' | 'archive' | 'reopen' | 'leave';
