/** What opens a sheet of its own about one message. */
export type MessageAct = 'edit' | 'recall';
