/** The six words that may be put to a message, as they are called on the wire in lower case. */
export const REACTIONS = ['agree', 'thanks', 'done', 'looking', 'question', 'concern'] as const;
export type Reaction = (typeof REACTIONS)[number];

export function isReaction(kind: string): kind is Reaction {
  return (REACTIONS as readonly string[]).includes(kind);
}
