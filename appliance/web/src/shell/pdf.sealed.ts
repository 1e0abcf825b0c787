/**
 * Before anything of a PDF is read: the worker that reads it gives away what could reach another place, or keep something. It then can
 * only draw and answer, whatever a file makes of its reader. What the reader imports itself, the page's policy holds to our own files.
 */
const GIVEN_AWAY = [
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'WebSocketStream', 'WebTransport', 'EventSource', 'RTCPeerConnection', 'importScripts'],
  ...['Worker', 'SharedWorker', 'BroadcastChannel', 'indexedDB', 'caches', 'cookieStore', 'Notification', 'FileReaderSync'],
];

for (const name of GIVEN_AWAY) {
  for (let at: object | null = globalThis; at !== null; at = Object.getPrototypeOf(at) as object | null) Reflect.deleteProperty(at, name);
  // What a browser would not delete is covered.
  Object.defineProperty(globalThis, name, { value: undefined, writable: false, configurable: false });
}

export {};
