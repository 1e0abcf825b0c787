/** The STAT's sound: two tones, no words, made here, so that nothing has to be loaded while somebody waits. */

let context: AudioContext | null = null;
let audible = $state(false);
let repeating: ReturnType<typeof setInterval> | undefined;

/** Browsers give sound only after a touch or a key: called at each until it is given. */
export function wakeSound(): void {
  if (context === null && typeof AudioContext !== 'undefined') {
    const made = new AudioContext();
    made.onstatechange = () => (audible = made.state === 'running');
    context = made;
  }
  // Also after a call, which on some phones interrupts all other sound.
  if (context !== null && context.state !== 'running') void context.resume();
}

/** Whether a ring would be heard; read in a template it follows. */
export function canSound(): boolean {
  return audible;
}

export function startRinging(): void {
  if (repeating !== undefined) return;
  ringOnce();
  repeating = setInterval(ringOnce, 2000);
}

export function stopRinging(): void {
  clearInterval(repeating);
  repeating = undefined;
  shake(0);
}

export function ringOnce(): void {
  shake([350, 150, 350, 150, 350]);
  if (context === null || context.state !== 'running') return;
  [880, 1175, 880, 1175].forEach((pitch, i) => tone(context as AudioContext, pitch, i * 0.25));
}

/** Something that should ring cannot: lower and shorter than a STAT, so that nobody runs for it. */
export function soundLow(): void {
  if (context === null || context.state !== 'running') return;
  [330, 262].forEach((pitch, i) => tone(context as AudioContext, pitch, i * 0.4));
}

/** An urgent message waits: one tone, twice, between a STAT and what cannot ring. */
export function soundSoft(): void {
  if (context === null || context.state !== 'running') return;
  [659, 659].forEach((pitch, i) => tone(context as AudioContext, pitch, i * 0.5, 0.4));
}

/** As with sound, a browser shakes only after a touch. */
function shake(pattern: number | number[]): void {
  if ('vibrate' in navigator && navigator.userActivation?.hasBeenActive) navigator.vibrate(pattern);
}

function tone(on: AudioContext, pitch: number, after: number, loudness = 0.9): void {
  const start = on.currentTime + after;
  const oscillator = on.createOscillator();
  const volume = on.createGain();
  oscillator.type = 'triangle';
  oscillator.frequency.value = pitch;
  // Without a rise and a fall each tone would begin and end with a crack.
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(loudness, start + 0.02);
  volume.gain.setValueAtTime(loudness, start + 0.18);
  volume.gain.linearRampToValueAtTime(0, start + 0.23);
  oscillator.connect(volume).connect(on.destination);
  oscillator.start(start);
  oscillator.stop(start + 0.24);
}
