import { tick } from 'svelte';
import type { MessageItem } from '../domain/snapshot.ts';
import { afterPaint } from './painted.ts';
import { around, newer, newest, NEWEST, older, opening, pinned, placed, type Wanted } from './run.ts';

/** Nearer to the end than this counts as being there: then the end stays in sight as messages come. */
const NEAR = 80;
/** As near to an end of the run, it moves on. Three of these and the highest screen are less than the lowest that a full run can be. */
const EDGE = 1_000;
/** Behind the first sight of it, a conversation has more than that in the page. Milliseconds. */
const MORE_AFTER = 100;

/**
 * The messages of a conversation as they are scrolled: a run of them is in the page, and the one under the eye stays where it is, whatever
 * comes above, changes its height, or arrives.
 */
export class Long {
  #list: () => readonly MessageItem[] = () => [];
  #wanted: Wanted = $state.raw(NEWEST);
  readonly #run = $derived(placed(this.#wanted, this.#list()));
  /** The place of the first that is in the page. */
  readonly from = $derived(this.#run.from);
  readonly #to = $derived(this.#run.to);
  readonly shown = $derived(this.#list().slice(this.from, this.#to));
  atEnd = $state(true);
  /** So far from the end that there is a button to it. */
  isFar = $state(false);
  #scroller: HTMLElement | null = null;
  #rows: HTMLElement | null = null;
  /** What is in the page, row by row. */
  #drawn: readonly MessageItem[] = [];
  #anchor: { readonly key: string; readonly top: number } | null = null;
  #lastTop = 0;
  #hadFocus = false;
  /** The first sight of it is past: more than that may be in the page. */
  #isSeen = false;

  constructor(list: () => readonly MessageItem[]) {
    this.#list = list;
    this.#wanted = opening(list(), { width: innerWidth, height: innerHeight });
  }

  /** The element that scrolls; `rows` has one child for each message that is shown. */
  attach(scroller: HTMLElement, rows: HTMLElement): () => void {
    this.#scroller = scroller;
    this.#rows = rows;
    // A picture that came, a reaction, larger letters; the phone's keyboard, a turned screen, a growing field.
    const observer = new ResizeObserver(() => this.#hold());
    observer.observe(scroller);
    observer.observe(rows);
    let more: ReturnType<typeof setTimeout> | undefined;
    const painted = afterPaint(() => {
      more = setTimeout(() => {
        this.#isSeen = true;
        if (this.atEnd) this.#wanted = newest(this.#list());
      }, MORE_AFTER);
    });
    return () => {
      painted();
      clearTimeout(more);
      observer.disconnect();
    };
  }

  /** Behind a change of {@link shown}, when it is in the page. */
  after(): void {
    this.#drawn = this.shown;
    this.#hold();
    // What had the focus went with the run: the keyboard goes on in the conversation.
    if (this.#hadFocus && document.activeElement === document.body) this.#scroller?.focus({ preventScroll: true });
    this.#note();
    this.#move();
  }

  /** True: upwards, and near to the oldest that is here. */
  scrolled(): boolean {
    const scroller = this.#scroller;
    if (scroller === null) return false;
    const isUp = scroller.scrollTop < this.#lastTop;
    this.#lastTop = scroller.scrollTop;
    // What grew since the last frame is told of behind this: who did not scroll is where they were.
    this.atEnd = this.#to === this.#list().length && (this.#below() < NEAR || (this.atEnd && !isUp));
    this.isFar = this.#to < this.#list().length || this.#below() > 2 * scroller.clientHeight;
    const wanted = pinned(this.#run, this.#list(), this.atEnd);
    if (wanted.from !== this.#wanted.from || wanted.to !== this.#wanted.to) this.#wanted = wanted;
    this.#note();
    this.#move();
    return isUp && this.from === 0 && scroller.scrollTop < EDGE;
  }

  toEnd(): void {
    this.#wanted = newest(this.#list());
    this.atEnd = true;
    this.isFar = false;
    void tick().then(() => this.#hold());
  }

  async toBeginning(): Promise<void> {
    this.#wanted = around(0, this.#list());
    this.atEnd = false;
    await tick();
    this.#scroller?.scrollTo({ top: 0 });
  }

  rowOf(sequence: number): HTMLElement | null {
    return this.#rows?.querySelector<HTMLElement>(`[data-sequence="${sequence}"]`) ?? null;
  }

  /** Brings one into sight: its end at the end of the screen, or itself in the middle. */
  async reveal(sequence: number, where: 'end' | 'middle'): Promise<void> {
    const place = this.#list().findLastIndex((one) => one.sequence === sequence);
    if (place < 0) return;
    this.atEnd = false;
    if (place < this.from || place >= this.#to) this.#wanted = around(place, this.#list());
    await tick();
    const [scroller, row] = [this.#scroller, this.rowOf(sequence)];
    if (scroller === null || row === null) return;
    // Nothing but the conversation itself is scrolled.
    const [room, box] = [scroller.getBoundingClientRect(), row.getBoundingClientRect()];
    const isHigh = box.height > room.height;
    scroller.scrollTop += isHigh ? box.top - room.top : where === 'end' ? box.bottom - room.bottom : (box.top + box.bottom - room.top - room.bottom) / 2;
    this.scrolled();
  }

  #below(): number {
    const scroller = this.#scroller;
    return scroller === null ? 0 : scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  }

  /** What is under the eye: the first one that is wholly in sight; of one that is higher than the screen its own beginning. */
  #note(): void {
    const [scroller, rows] = [this.#scroller, this.#rows];
    this.#anchor = null;
    if (scroller === null || rows === null) return;
    const { top, bottom } = scroller.getBoundingClientRect();
    for (const [at, row] of [...rows.children].entries()) {
      const box = row.getBoundingClientRect();
      const one = this.#drawn[at];
      if (one === undefined || box.bottom <= top) continue;
      if (box.top < bottom || this.#anchor === null) this.#anchor = { key: one.key, top: box.top - top };
      if (box.top >= top) return;
    }
  }

  #hold(): void {
    const [scroller, rows] = [this.#scroller, this.#rows];
    if (scroller === null || rows === null) return;
    if (this.atEnd) {
      scroller.scrollTop = scroller.scrollHeight;
    } else {
      const { key, top } = this.#anchor ?? { key: '', top: 0 };
      const row = rows.children[this.#drawn.findIndex((one) => one.key === key)];
      if (row === undefined) return;
      const moved = row.getBoundingClientRect().top - scroller.getBoundingClientRect().top - top;
      if (Math.abs(moved) >= 0.5) scroller.scrollTop += moved;
    }
    this.#lastTop = scroller.scrollTop;
  }

  /** At the end too: what came before a run that does not fill the screen cannot be scrolled to. */
  #move(): void {
    const scroller = this.#scroller;
    if (scroller === null || (this.atEnd && !this.#isSeen)) return;
    this.#hadFocus = this.#rows?.contains(document.activeElement) ?? false;
    if (this.from > 0 && scroller.scrollTop < EDGE) this.#wanted = older(this.#run, this.#list());
    else if (this.#to < this.#list().length && this.#below() < EDGE) this.#wanted = newer(this.#run, this.#list());
  }
}
