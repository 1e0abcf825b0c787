import { describe, expect, it } from 'vitest';

import { Bench } from './testing/bench.ts';
import { Box, PIN } from './testing/box.ts';

const MINUTE = 60_000;
const SHIFT = 8 * 60;

/** How often somebody types the PIN in eight hours who takes the phone out every so many minutes, a message in hand each time. */
function pinsOf(minutes: number, idleLock: number, passkey = false): number {
  const box = new Box();
  box.idleLock = BigInt(idleLock * MINUTE);
  box.isPinWanted = true;
  const bench = new Bench(box);
  bench.start();
  bench.settle();
  let pins = 0;
  for (let at = 0; at < SHIFT; at += minutes) {
    if (bench.snapshot.stage === 'locked' && bench.snapshot.passkey === true) {
      bench.command('unlockByPasskey', ASSERTION);
      bench.pass(2_000);
    } else if (bench.snapshot.stage === 'locked') {
      bench.command('unlock', PIN);
      bench.pass(2_000);
      pins += 1;
      // Added after the first one of the shift.
      box.passkey = passkey;
    }
    expect([bench.snapshot.stage, bench.snapshot.refusal?.code, bench.snapshot.line.state]).toEqual(['open', undefined, 'online']);
    bench.command('touched');
    box.say(`minute ${at}`);
    bench.settle();
    bench.pass(minutes * MINUTE - (bench.now.steady - at * MINUTE));
  }
  return pins;
}

/** As far as the box of this test looks at it. */
const ASSERTION = { credential: new Uint8Array(16).fill(4), clientData: new Uint8Array(1), authenticatorData: new Uint8Array(37), signature: Uint8Array.of(0x30) };

describe('PINs of an eight-hour shift', () => {
  it('are one for whoever has the phone in hand', () => {
    expect(pinsOf(2, 5)).toBe(1);
    expect(pinsOf(4, 5)).toBe(1);
  });

  it('are one for each look of whoever takes it out less often than the idle lock: twelve are kept only from forty minutes on', () => {
    expect([8, 10, 20, 40, 60].map((minutes) => pinsOf(minutes, 5))).toEqual([60, 48, 24, 12, 8]);
  });

  it('are one a shift with a passkey, however often the phone is taken out', () => {
    expect([2, 8, 10, 20, 40, 60].map((minutes) => pinsOf(minutes, 5, true))).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('are few with an idle lock that is longer than the pauses', () => {
    expect([8, 10, 20, 40, 60].map((minutes) => pinsOf(minutes, 30))).toEqual([1, 1, 1, 12, 8]);
  });
});
