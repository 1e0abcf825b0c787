/** What is said about acts in a conversation that are loaded when they are opened, in English. */
export const talkEn = {
  busy: 'Asking the box…',
  acts: {
    edit: 'Edit',
    recall: 'Recall',
  },
  edit: {
    title: 'Edit your message',
    label: 'What it is to say',
    hint: 'Everybody sees that it was edited. What it said before is gone. You can edit a message for 15 minutes, ten times at most.',
    save: 'Save',
  },
  recall: {
    title: 'Recall this message?',
    what: 'Its text is destroyed on the box and on every device that is connected. That you recalled it stays in its place.',
    hint: 'Whoever has read it has read it. If it was in the wrong conversation or about the wrong patient, tell them so.',
    go: 'Recall it',
  },
  codes: {
    EDIT_TOO_LATE: 'A message can be edited for 15 minutes, and this one is older. Send another message that says what is right.',
    EDITS_SPENT: 'This message was edited ten times already. Send another message that says what is right.',
    EDITED_MEANWHILE: 'You edited it on another device meanwhile. Close this, look at what it says now, and edit it again.',
    RECALL_TOO_LATE: 'A message can be recalled for 24 hours, and this one is older. Send another message that says what is right.',
    MESSAGE_RECALLED: 'This message was recalled already. There is nothing to change any more.',
    STAT_OPEN: 'This STAT still rings. Close it first, then recall it.',
    KEPT_AS_WRITTEN: 'Messages here must stay as they are for now. Send another message that says what is right.',
  },
};
