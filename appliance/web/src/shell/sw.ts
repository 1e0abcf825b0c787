/**
 * The service worker: keeps the app's own files, so that it opens without the box. It holds nothing that is somebody's: what the
 * box answers never passes through here.
 */

/** Put in by the build: every file of the shell, such as come when they are first asked for, and one name for all of them together. */
declare const __SHELL__: { readonly version: string; readonly files: readonly string[]; readonly late: readonly string[] };

const worker = globalThis as unknown as ServiceWorkerGlobalScope;
const CACHE = `shell-${__SHELL__.version}`;
/** What the person chose for this device, as `prefs.svelte.ts` keeps it for the worker: `/language`, two letters. */
const CHOSEN = 'chosen';
const FILES = new Set(__SHELL__.files);
const LATE = new Set(__SHELL__.late);
/** Where the box speaks, and its files of the facility root. */
const NEVER = ['/wardline/', '/api/', '/api', '/trust/'];

worker.addEventListener('install', (event) => {
  event.waitUntil(fill());
});
worker.addEventListener('activate', (event) => {
  event.waitUntil(dropOthers().then(() => worker.clients.claim()));
});
worker.addEventListener('message', (event) => {
  if (event.data === 'skipWaiting') void worker.skipWaiting();
});
worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== worker.location.origin) return;
  if (NEVER.some((path) => url.pathname === path || (path.endsWith('/') && url.pathname.startsWith(path)))) return;
  if (event.request.mode === 'navigate') event.respondWith(kept('/', event.request));
  else if (FILES.has(url.pathname)) event.respondWith(kept(url.pathname, event.request));
  else if (LATE.has(url.pathname)) event.respondWith(keptFromNow(url.pathname, event.request));
});

/** The bell. What it brings is not looked at: there is one text, in each language, for whatever it is, and it says nothing. */
worker.addEventListener('push', (event) => {
  event.waitUntil(ring());
});
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show());
});
/** The browser has changed where it is rung. The box hears of it when the app is next opened. */
worker.addEventListener('pushsubscriptionchange', (event) => {
  const { oldSubscription } = event as Event & { readonly oldSubscription?: PushSubscription | null };
  const key = oldSubscription?.options.applicationServerKey;
  if (key != null) (event as ExtendableEvent).waitUntil(worker.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
});

async function ring(): Promise<void> {
  const body = (await language()).startsWith('es') ? 'Algo le espera. Abra Wardline.' : 'Something waits for you. Open Wardline.';
  // One at a time, and each rings anew.
  const options: NotificationOptions & { readonly renotify: boolean } = { body, tag: 'wardline', renotify: true, icon: '/icon-192.png', badge: '/icon-192.png' };
  await worker.registration.showNotification('Wardline', options);
}

/** The app's; the browser's, where none was kept. It rings whatever happens here. */
async function language(): Promise<string> {
  try {
    const chosen = await caches.match('/language', { cacheName: CHOSEN });
    return (await chosen?.text()) ?? navigator.language;
  } catch {
    return navigator.language;
  }
}

async function show(): Promise<void> {
  const [open] = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (open === undefined) await worker.clients.openWindow('/');
  else await open.focus();
}

/** All or nothing: half a shell would be worse than the old one. */
async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(__SHELL__.files.map((path) => new Request(path, { cache: 'reload' })));
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE && name !== CHOSEN).map((name) => caches.delete(name)));
}

async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}

/** Fetched once, by those who want it: what shows a PDF is three times the rest. */
async function keptFromNow(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const there = await cache.match(path);
  if (there !== undefined) return there;
  const came = await fetch(request);
  // No room is no reason to show nothing.
  if (came.ok) await cache.put(path, came.clone()).catch(() => undefined);
  return came;
}
