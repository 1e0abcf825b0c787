import { talkEn } from '../../../words/areas/talk.en.ts';
import { talkEs } from '../../../words/areas/talk.es.ts';
import { area } from '../../../words/words.svelte.ts';

export const words = area(talkEn, talkEs);
