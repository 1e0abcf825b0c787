/** A STAT that calls somebody who is not in its conversation, in English. */
export const calledEn = {
  title: (unit: string) => (unit === '' ? 'STAT' : `STAT · ${unit}`),
  why: 'It calls you because nobody before you has answered. You are not in its conversation, and read this one message.',
  asking: 'Asking the box for the message…',
  again: 'Ask again',
  by: (author: string, at: string) => `${author}, ${at}`,
  recalled: 'Its author recalled the text.',
  call: (number: string) => `Number to call: ${number}`,
  over: 'It does not call you any more.',
  close: 'Not now',
};
