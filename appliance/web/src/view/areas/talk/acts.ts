/** What opens a sheet of its own about one message. */
export type MessageAct = 'edit' | 'recall' | 'readers' | 'callNote' | OrderAct;

/** About an order by text. */
export type OrderAct = 'readBack' | 'answer' | 'correct' | 'cancel' | 'file';

/** And about a whole conversation. */
export type HeadAct = 'add' | 'remove' | 'rename' | 'archive' | 'reopen' | 'leave';
