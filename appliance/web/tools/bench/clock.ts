/**
 * How long from somebody's touch until what they asked for is painted, by the browser's own time of the touch.
 *
 * Painted: a frame was made behind the change, and the message that was posted in it came.
 */
export interface Clock {
  /** Begins with the next event of this name; ends when the element is there, or, without one, with the frame that shows what was typed. */
  time(event: 'click' | 'keydown', selector: string | null): Promise<number>;
}

const painted = (): Promise<number> =>
  new Promise((done) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => done(performance.now());
      port2.postMessage(null);
    }),
  );

const there = (selector: string): Promise<void> =>
  new Promise((done) => {
    const isThere = (): boolean => document.querySelector(selector) !== null;
    if (isThere()) return done();
    const observer = new MutationObserver(() => {
      if (!isThere()) return;
      observer.disconnect();
      done();
    });
    observer.observe(document.body, { childList: true, subtree: true });
  });

const clock: Clock = {
  time: (event, selector) =>
    new Promise((done) => {
      addEventListener(
        event,
        async ({ timeStamp }) => {
          if (selector !== null) await there(selector);
          done((await painted()) - timeStamp);
        },
        { capture: true, once: true },
      );
    }),
};
Object.assign(globalThis, { clock });
