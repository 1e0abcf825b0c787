/**
 * Lighthouse looks at a page that somebody has open: in their own browser, with its own certificate store, over the box's own HTTPS. It is
 * in a folder of its own (tools/lighthouse), and asks nobody but that browser.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer, { type Browser as Attached } from 'puppeteer-core';

const ENTRY = join(import.meta.dirname, '../tools/lighthouse/node_modules/lighthouse/core/index.js');

export type Category = 'accessibility' | 'best-practices' | 'performance';

interface Audit {
  readonly title: string;
  readonly score: number | null;
  readonly numericValue?: number;
  readonly details?: { readonly items?: readonly object[] };
}
interface Result {
  readonly lhr: {
    readonly categories: Partial<Record<Category, { readonly score: number | null; readonly auditRefs: readonly { readonly id: string; readonly weight: number }[] }>>;
    readonly audits: Readonly<Record<string, Audit>>;
    readonly runtimeError?: { readonly message: string };
    readonly runWarnings: readonly string[];
  };
}
/** What we use of it: it need not be there for the types to be checked. */
interface Lighthouse {
  snapshot(page: unknown, options: { flags: object }): Promise<Result | undefined>;
  navigation(page: unknown, url: string, options: { flags: object }): Promise<Result | undefined>;
}

export interface Seen {
  /** Of 100. */
  readonly scores: Partial<Record<Category, number>>;
  /** What costs points, each with the places. */
  readonly faults: readonly string[];
  /** Milliseconds, or a share, by the audit's name. */
  readonly figures: Readonly<Record<string, number>>;
}

/** A phone of the middle class on a slow line: nothing is slowed, that is reckoned from what was seen. No picture of the page is kept. */
const PHONE = { formFactor: 'mobile', throttlingMethod: 'simulate', disableFullPageScreenshot: true, logLevel: 'silent' } as const;
/** The screen is as it is, and so is what the browser keeps of earlier visits. */
const AS_IT_IS = { ...PHONE, screenEmulation: { disabled: true }, emulatedUserAgent: false, disableStorageReset: true } as const;
const [LOOKS, SPEED]: Category[][] = [['accessibility', 'best-practices'], ['performance']];

export class Lookout {
  readonly #lighthouse: Lighthouse;
  readonly #attached: Attached;

  private constructor(lighthouse: Lighthouse, attached: Attached) {
    this.#lighthouse = lighthouse;
    this.#attached = attached;
  }

  /** At a browser that was opened with this `debugPort`. */
  static async at(port: number): Promise<Lookout> {
    if (!existsSync(ENTRY)) throw new Error('Lighthouse is not here: make prepare installs it');
    const lighthouse = (await import(ENTRY)) as Lighthouse;
    return new Lookout(lighthouse, await puppeteer.connect({ browserURL: `http://127.0.0.1:${port}`, defaultViewport: null }));
  }

  /** The page as it stands there. */
  async here(address: string): Promise<Seen> {
    return seen(await this.#lighthouse.snapshot(await this.#page(address), { flags: { ...AS_IT_IS, onlyCategories: LOOKS } }));
  }

  /** The page as it loads, with whatever the browser keeps of it. */
  async loading(address: string, path: string): Promise<Seen> {
    const flags = { ...AS_IT_IS, onlyCategories: LOOKS };
    return seen(await this.#lighthouse.navigation(await this.#page(address), `${address}${path}`, { flags }));
  }

  /** How quick it is on Lighthouse's phone; `isFirst`: without anything kept. */
  async speed(address: string, isFirst: boolean): Promise<Seen> {
    const flags = { ...PHONE, disableStorageReset: !isFirst, onlyCategories: SPEED };
    return seen(await this.#lighthouse.navigation(await this.#page(address), `${address}/`, { flags }));
  }

  async leaves(): Promise<void> {
    await this.#attached.disconnect();
  }

  async #page(address: string): Promise<unknown> {
    const page = (await this.#attached.pages()).find((one) => one.url().startsWith(`${address}/`));
    if (page === undefined) throw new Error(`no page of ${address} is open`);
    return page;
  }
}

function seen(result: Result | undefined): Seen {
  if (result === undefined) throw new Error('Lighthouse said nothing');
  const { categories, audits, runtimeError } = result.lhr;
  if (runtimeError !== undefined) throw new Error(`Lighthouse: ${runtimeError.message}`);
  const scores: Partial<Record<Category, number>> = {};
  const faults = new Set<string>();
  for (const [name, category] of Object.entries(categories)) {
    scores[name as Category] = Math.round((category.score ?? 0) * 100);
    if (name === 'performance') continue;
    for (const { id, weight } of category.auditRefs) {
      const audit = audits[id];
      if (audit === undefined || audit.score === null || audit.score === 1 || weight === 0) continue;
      faults.add(`${id}: ${audit.title}: ${JSON.stringify(audit.details?.items ?? []).slice(0, 600)}`);
    }
  }
  const figures = Object.fromEntries(Object.entries(audits).flatMap(([name, { numericValue }]) => (numericValue === undefined ? [] : [[name, numericValue]])));
  return { scores, faults: [...faults], figures };
}
