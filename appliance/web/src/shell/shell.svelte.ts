/**
 * The page's side of what the browser gives an installed app: the service worker's new versions, and being installed.
 */

import type { Findings } from '../domain/check/check.ts';
import type { Root } from '../domain/check/root.ts';
import { scriptUrl, WORKER } from './scripts.ts';

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

export class Shell {
  /** A new version is loaded and waits. */
  updateReady = $state(false);
  /** The browser offers to install the app. */
  installable = $state(false);
  /** The browser believes the box's certificate: it takes a service worker from nobody else. */
  isTrusted = $state(false);
  /** Which build this is. */
  readonly version: string = __VERSION__;
  private registration: ServiceWorkerRegistration | null = null;
  private waiting: ServiceWorker | null = null;
  private prompt: InstallPrompt | null = null;

  /** Opened from the home screen rather than in a browser's tab. */
  get isInstalled(): boolean {
    const apple = navigator as Navigator & { standalone?: boolean };
    return matchMedia('(display-mode: standalone)').matches || apple.standalone === true;
  }

  start(): void {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.prompt = event as InstallPrompt;
      this.installable = true;
    });
    if ('serviceWorker' in navigator) void this.register();
  }

  /** What the box says of the facility root. */
  root(): Promise<Root | null> {
    return import('../edge/probes.ts').then(({ root }) => root());
  }

  /** Looks at the way to the box; returns how to stop. */
  probe(found: (findings: Findings) => void): () => void {
    let stop: (() => void) | null = null;
    let isOver = false;
    // Where this part cannot be had, nothing is found.
    import('../edge/probes.ts').then(
      ({ look }) => (stop = isOver ? null : look(found)),
      () => undefined,
    );
    return () => {
      isOver = true;
      stop?.();
    };
  }

  async install(): Promise<void> {
    await this.prompt?.prompt();
    this.prompt = null;
    this.installable = false;
  }

  /** Goes over to the new version. What waits to be sent is on the disk, and what is half written once the app was asked to keep it. */
  update(): void {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
    this.waiting?.postMessage('skipWaiting');
  }

  /** Looks for a newer version, which then waits: a page that is never put away does not by itself. */
  lookForNewer(): void {
    this.registration?.update().catch(() => undefined);
  }

  /** Looks for a newer version and goes over to it; without one, loads the page anew. */
  async renew(): Promise<void> {
    if (this.waiting === null) await this.registration?.update().catch(() => undefined);
    if (this.waiting === null) location.reload();
    else this.update();
  }

  private async register(): Promise<void> {
    try {
      const registration = await navigator.serviceWorker.register(scriptUrl(WORKER), { updateViaCache: 'none' });
      this.registration = registration;
      this.isTrusted = true;
      this.watch(registration);
    } catch (error) {
      // Without it the app works as long as the box answers.
      console.warn('no service worker', error);
    }
  }

  private watch(registration: ServiceWorkerRegistration): void {
    const found = (worker: ServiceWorker | null) => {
      // The very first one has nobody to take over from.
      if (worker === null || navigator.serviceWorker.controller === null) return;
      this.waiting = worker;
      this.updateReady = true;
    };
    found(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing;
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'installed') found(worker);
      });
    });
    let looked = Date.now();
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible' || Date.now() - looked < 600_000) return;
      looked = Date.now();
      registration.update().catch(() => undefined);
    });
  }
}
