/**
 * Does something behind the next frame, so that what somebody asked for is on the screen before what need not be seen is done. Returns how
 * to call it off. On a page that nobody looks at there are no frames: it waits until somebody does.
 */
export function afterPaint(act: () => void): () => void {
  let behind: ReturnType<typeof setTimeout> | undefined;
  const frame = requestAnimationFrame(() => (behind = setTimeout(act)));
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(behind);
  };
}
