/** Keeps the device's screen on while the page is before somebody: browsers take that back whenever it is not, so it is asked for again. */
export class Awake {
  /** The browser keeps the screen on; `false`: it does not, or cannot. */
  isKept = $state<boolean | null>(null);
  #lock: WakeLockSentinel | null = null;

  /** Returns how to stop. */
  start(): () => void {
    const ask = (): void => void this.#ask();
    ask();
    document.addEventListener('visibilitychange', ask);
    return () => {
      document.removeEventListener('visibilitychange', ask);
      void this.#lock?.release();
    };
  }

  async #ask(): Promise<void> {
    if (document.visibilityState !== 'visible') return;
    if (!('wakeLock' in navigator)) {
      this.isKept = false;
      return;
    }
    if (this.#lock !== null && !this.#lock.released) return;
    try {
      this.#lock = await navigator.wakeLock.request('screen');
      this.isKept = true;
      // Also where the page stays visible: a battery that runs low takes it away.
      this.#lock.addEventListener('release', () => (this.isKept = false));
    } catch {
      this.isKept = false;
    }
  }
}
