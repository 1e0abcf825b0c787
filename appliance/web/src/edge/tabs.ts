/**
 * One profile has one connection: of several tabs the one that holds a lock of the browser's. Another says that it is superseded, and
 * takes over when the first is closed; or at once, when the person loads it again: that is how they say "here".
 */

const LOCK = 'wardline';
/** Kept for this tab alone: it was superseded, so that loading it again means it. */
const HERE = 'wardline.here';

export interface Tab {
  /** This tab is the one. */
  begin(): void;
  /** Another tab is the one; perhaps this was, until now. */
  superseded(): void;
}

export function takeTurns(tab: Tab): void {
  // Browsers without it have no tabs worth the name: an installed app's only window.
  if (!('locks' in navigator)) return tab.begin();
  const standBack = (): void => {
    note(true);
    tab.superseded();
  };
  const request = (options: LockOptions): void => {
    const held = navigator.locks.request(LOCK, options, (lock) => {
      if (lock === null) {
        standBack();
        request({});
        return undefined;
      }
      note(false);
      tab.begin();
      // As long as the page is there, or until another takes it.
      return new Promise<never>(() => undefined);
    });
    held.catch(standBack);
  };
  request(wasNoted() ? { steal: true } : { ifAvailable: true });
}

function wasNoted(): boolean {
  try {
    return sessionStorage.getItem(HERE) !== null;
  } catch {
    return false;
  }
}

function note(isNoted: boolean): void {
  try {
    if (isNoted) sessionStorage.setItem(HERE, '1');
    else sessionStorage.removeItem(HERE);
  } catch {
    // Where nothing may be kept, loading again means nothing.
  }
}
