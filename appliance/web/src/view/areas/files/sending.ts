/** What the compose field loads when somebody first adds a file. */

import type { FileKind } from '../../../domain/snapshot.ts';
import { files as en } from '../../../words/areas/files.en.ts';
import { files as es } from '../../../words/areas/files.es.ts';
import { area } from '../../../words/words.svelte.ts';

export { FilesToSend } from './chosen.svelte.ts';
export { default as ToSend } from './ToSend.svelte';

/** The text of a message that has none: every message has one. */
export function nameOf(kind: FileKind): string {
  const words = area(en, es)();
  return { photo: words.photo, pdf: words.document, audio: words.recording }[kind];
}
