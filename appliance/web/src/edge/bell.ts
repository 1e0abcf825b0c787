/**
 * The bell of this browser (RFC 8030): subscribed at its maker's push service, and told to the box. What comes through it says nothing; the
 * service worker shows one constant text. It is of one person on this browser: whoever signs in and has not asked for it ends it.
 */

import type { Ask } from '../domain/frames.ts';
import { keep, recall } from './kept.ts';
import type { Bell, BellShown, Id, Refusal, Reply } from '../domain/snapshot.ts';

/** Whose it is. Where that cannot be kept, the bell rings until the next sign-in. */
const KEPT = 'wardline.bell';
/** The browser or its push service would not, for whatever reason: none of them says which. */
const FAILED: Refusal = { code: 'BELL_FAILED', advice: '' };

export class BrowserBell implements Omit<Bell, 'possible'> {
  readonly #ask: (body: Ask) => Promise<Reply>;

  constructor(ask: (body: Ask) => Promise<Reply>) {
    this.#ask = ask;
  }

  async look(): Promise<BellShown | Refusal> {
    return (await this.#told({ case: 'askBell', value: {} })).shown;
  }

  async on(person: Id): Promise<BellShown | Refusal> {
    // Asked first: a browser takes it only as long as the tap is fresh.
    if ((await Notification.requestPermission()) !== 'granted') return { code: 'BELL_DENIED', advice: '' };
    const { shown, key } = await this.#told({ case: 'askBell', value: {} });
    if ('code' in shown || !shown.on || key.length === 0) return shown;
    const set = await this.#subscribe(key);
    if (!('code' in set)) keep(KEPT, person);
    return set;
  }

  async off(): Promise<BellShown | Refusal> {
    keep(KEPT, null);
    await end();
    return (await this.#told({ case: 'clearBell', value: {} })).shown;
  }

  /** Somebody has signed in: what rang for another rings no more, and what the browser has renewed, the box hears of. */
  async settle(person: Id): Promise<void> {
    const whose = recall(KEPT);
    if (whose !== person) {
      if (whose !== null) keep(KEPT, null);
      return end();
    }
    const { shown, key } = await this.#told({ case: 'askBell', value: {} });
    if (!('code' in shown) && shown.on && key.length > 0) await this.#subscribe(key);
  }

  /** They are off this phone for good: it rings for them no more, whoever comes next or nobody. */
  static async leave(person: Id): Promise<void> {
    if (recall(KEPT) !== person) return;
    keep(KEPT, null);
    await end();
  }

  async #subscribe(key: Uint8Array): Promise<BellShown | Refusal> {
    try {
      const { pushManager } = await navigator.serviceWorker.ready;
      const held = await pushManager.getSubscription();
      const isOurs = held !== null && same(held.options.applicationServerKey, key);
      // Of another box, or of this one before it had a new key.
      if (held !== null && !isOurs) await held.unsubscribe();
      const subscription = isOurs ? held : await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: Uint8Array.from(key) });
      const [p256dh, auth] = [subscription.getKey('p256dh'), subscription.getKey('auth')];
      if (p256dh === null || auth === null) return FAILED;
      const value = { endpoint: subscription.endpoint, p256dh: new Uint8Array(p256dh), auth: new Uint8Array(auth) };
      return (await this.#told({ case: 'setBell', value })).shown;
    } catch {
      return FAILED;
    }
  }

  async #told(body: Ask): Promise<{ readonly shown: BellShown | Refusal; readonly key: Uint8Array }> {
    const reply = await this.#ask(body);
    const none = new Uint8Array();
    if (reply.reply === 'refused') return { shown: reply.refusal, key: none };
    if (reply.body.case !== 'bell') return { shown: FAILED, key: none };
    const { on, key, set } = reply.body.value;
    return { shown: { on, isThere: key.length > 0, set }, key };
  }
}

async function end(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  await subscription?.unsubscribe().catch(() => false);
}

function same(a: ArrayBuffer | null, b: Uint8Array): boolean {
  const bytes = new Uint8Array(a ?? new ArrayBuffer(0));
  return bytes.length === b.length && bytes.every((byte, at) => byte === b[at]);
}
