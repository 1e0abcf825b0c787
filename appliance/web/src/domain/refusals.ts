/** The box's refusals (README.md, section 8): what each is to this app. */

import { RefusalCode, type Refused } from '../gen/wardline_pb.js';
import type { FileSent, Refusal } from './snapshot.ts';
import { cleanLine } from './texts.ts';

/** A refusal as it came. */
export interface Declined {
  readonly code: RefusalCode;
  readonly advice: string;
  readonly triesLeft: number;
  /** Milliseconds; 0: the box named none. */
  readonly retryAfter: number;
}

/** Longest wait that a refusal may impose: a box that means longer says so again. Milliseconds. */
const RETRY_AFTER_MAX = 60_000;

export function declinedOf(wire: Refused): Declined {
  const longest = BigInt(RETRY_AFTER_MAX);
  const retryAfter = Number(wire.retryAfter > longest ? longest : wire.retryAfter);
  return { code: wire.code, advice: cleanLine(wire.advice), triesLeft: wire.triesLeft, retryAfter };
}

/** For the view. */
export function refusalOf(declined: Declined): Refusal {
  const { code, advice, triesLeft, retryAfter } = declined;
  return {
    code: RefusalCode[code] ?? 'UNSPECIFIED',
    advice,
    ...(code === RefusalCode.PIN_WRONG ? { triesLeft } : {}),
    ...(retryAfter > 0 ? { retryAfter: Math.ceil(retryAfter / 1000) } : {}),
  };
}

/** What this app says by itself. */
export type OwnCode =
  | 'OFFLINE'
  | 'ATTACHMENT_MISTYPED'
  | 'ATTACHMENT_TOO_LARGE'
  | 'NO_SUCH_ATTACHMENT'
  | 'FILE_OTHER'
  | 'LOCKED'
  | 'SLOW_DOWN'
  | 'JOIN_CODE_INVALID'
  | 'PIN_WRONG'
  | 'PIN_TOO_SHORT'
  | 'PIN_TOO_COMMON'
  | 'TOO_LARGE'
  | 'TEXT_EMPTY'
  | 'TITLE_EMPTY'
  | 'NOBODY_CHOSEN'
  | 'DEVICE_NAME'
  | 'OUTBOX_FULL'
  | 'STAT_NOT_SENT'
  | 'STAT_NOT_SURE'
  | 'ORDER_NOT_SENT'
  | 'ORDER_NOT_SURE'
  | 'NO_FACILITY'
  | 'VISITOR_NAME'
  | 'FAMILY_OVER'
  | 'INTERRUPTED';

export function ownRefusal(code: OwnCode, more: { triesLeft?: number; retryAfter?: number } = {}): Refusal {
  return { code, advice: '', ...more };
}

const TRANSIENT = new Set([
  RefusalCode.LOCKED,
  RefusalCode.NUMBER_PASSED,
  RefusalCode.SLOW_DOWN,
  RefusalCode.DISK_LOW,
  RefusalCode.UNAVAILABLE,
]);

/** A submission refused so goes again; with any other code it never will. */
export function isTransient(code: RefusalCode): boolean {
  return TRANSIENT.has(code);
}

/** What a refusal of a sign-in or a PIN means for this device. */
export type Verdict =
  /** Tried again when the box said, or after a while. */
  | 'again'
  /** This device is none of the box's any more: a new code. */
  | 'unknown'
  /** Nobody at the bed has answered yet. */
  | 'waiting'
  /** Wrong PINs: until somebody has cleared it, with a code. */
  | 'lockedOut'
  /** The person is out. */
  | 'suspended'
  /** The app speaks no version that the box does. */
  | 'tooOld';

export function verdictOf(code: RefusalCode): Verdict {
  switch (code) {
    case RefusalCode.DEVICE_UNKNOWN:
    case RefusalCode.DEVICE_COPIED:
    // Who visits asks anew, at the bed.
    case RefusalCode.FAMILY_OVER:
    case RefusalCode.FAMILY_DECLINED:
      return 'unknown';
    case RefusalCode.FAMILY_WAITING:
      return 'waiting';
    case RefusalCode.PIN_LOCKED_OUT:
      return 'lockedOut';
    case RefusalCode.PERSON_SUSPENDED:
    case RefusalCode.AGENCY_OVER:
      return 'suspended';
    case RefusalCode.VERSION_UNSUPPORTED:
      return 'tooOld';
    default:
      return 'again';
  }
}

/** Whether what came of a file is a refusal. */
export function isRefusal(came: FileSent | Blob | Refusal): came is Refusal {
  return 'code' in came;
}
