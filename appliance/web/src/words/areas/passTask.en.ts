/** What giving a task on to somebody else says, in English. */
export const passTaskEn = {
  task: 'Task',
  pass: 'Give it on',
  title: 'Who is to do it now?',
  hint: 'It is theirs from now on, with the time that was named. They have to be in the conversation.',
  label: 'For whom',
  search: 'Search people',
  nobody: 'Nobody found.',
  more: (n: number) => `${n} more: search for them.`,
  go: 'Give it to them',
  pick: 'Choose somebody.',
  refusals: {
    TASK_NOT_READER: 'They cannot read the message. Choose somebody of the conversation.',
    NOT_PERMITTED: 'They cannot read the message, or it is not yours to give on.',
  },
};
