/**
 * The whole app but its edges. Pure: each input comes with the time, effects come out, and {@link Phone.snapshot} says how things look.
 *
 * What a connection's messages mean is `session.ts`'s, who may see `gate.ts`'s, what the person has before them `desk.ts`'s. Here it is
 * brought together.
 */

import { RefusalCode, type ServerFrame } from '../gen/wardline_pb.js';
import { act } from './acts.ts';
import { CLOSE } from './backoff.ts';
import { toHex } from './bytes.ts';
import type { Call } from './calls.ts';
import { submitOf, submitSealedOf } from './composing.ts';
import { Desk, type Now } from './desk.ts';
import type { Command, Effect, Input, LineNumber } from './effects.ts';
import { Gate } from './gate.ts';
import { type Chance, Ground } from './ground.ts';
import { idOf, type MessageName, momentOf, type StayId } from './ids.ts';
import type { Line } from './lines.ts';
import type { Hash, Signature } from './proofs.ts';
import type { Ask } from './frames.ts';
import { type Declined, ownRefusal, refusalOf, verdictOf } from './refusals.ts';
import type { Asked, Out } from './session.ts';
import type { Refusal, Snapshot } from './snapshot.ts';
import { cleanLine } from './texts.ts';
import { WireFault } from './wire.ts';

/** What rang is not shown for longer than this without the box. */
const RINGS_OFFLINE_MAX = 60_000;
/** A login secret. Bytes. */
const SECRET = 32;
/** Requests under way behind which a page is told to wait. The box answers them in order, some 1,000 a second. */
const PAGE_ASKS_MAX = 64;

export class Phone {
  readonly #ground: Ground;
  readonly #gate: Gate;
  #facility: Hash | null = null;
  /** Frames that wait until a login secret is on the disk: few, since nothing is asked for meanwhile. */
  #held: { readonly line: LineNumber; readonly frames: ServerFrame[]; readonly secret: Uint8Array } | null = null;
  /** The line whose secret is. */
  #kept: { readonly line: LineNumber } | null = null;

  /** `client` is told to the box, for its log. */
  constructor(client: string, chance: Chance) {
    this.#ground = Ground.with(client, chance, (ground) => this.#newDesk(ground), (out) => this.#out(out));
    this.#gate = new Gate(this.#ground);
  }

  handle(now: Now, input: Input): Effect[] {
    this.#ground.now = now;
    if (this.#gate.stage.is !== 'ended') {
      this.#gate.expire();
      this.#take(input);
      this.#ground.desk.closeWhatIsGone();
      this.#push();
      this.#gate.settleLock();
    } else if (input.input === 'ask') {
      this.#ask(input.number, input.body);
    }
    return this.#ground.done();
  }

  /** When a `tick` is due, by the steady clock. */
  nextAt(): number {
    const { session, lines, desk, outbox, now } = this.#ground;
    if (this.#gate.stage.is === 'ended') return Infinity;
    return Math.min(
      session?.nextAt() ?? Infinity,
      lines.retryAt(),
      outbox.nextAt(now.steady, now.wall),
      session?.isOpen === true ? desk.receipts.nextAt() : Infinity,
      this.#gate.presence.hereAt(),
      this.#gate.idleAt(),
      this.#gate.leaseEnds(),
      this.#gate.startsUntil(),
      this.#gate.lockDue(),
      this.#ground.drafts.nextAt(),
      desk.rings.calling().length > 0 ? this.#ringsUntil() : Infinity,
    );
  }

  get snapshot(): Snapshot {
    const { desk, lines, outbox } = this.#ground;
    const { stage, identity, refusal, isBusy, devices } = this.#gate;
    const isRung = stage.is === 'open' || stage.is === 'locked' || stage.is === 'station';
    const common = {
      stage: stage.is,
      station: identity?.station ?? null,
      line: lines.shown,
      ended: stage.is === 'ended' ? stage.why : null,
      busy: isBusy,
      refusal,
      waiting: stage.is === 'ended' ? 0 : outbox.count,
      staying: stage.is === 'locked' ? outbox.staying : 0,
      lapsed: this.#gate.lapsed,
      passkey: this.#gate.passkeyDoes,
      ringing: isRung ? desk.screen.ringing() : [],
      urgents: stage.is === 'station' ? desk.rings.urgents() : [],
    };
    const me = identity?.person ?? null;
    if (stage.is !== 'open' || identity === null || me === null) {
      return { ...common, me: null, caughtUp: false, inbox: [], conversation: null, people: [], roles: null, devices: [], care: null, offers: [], gaps: [], visitor: false, taken: [] };
    }
    const { screen, book, open } = desk;
    return {
      ...common,
      me: this.#gate.visitor === null ? screen.person(me, null) : { ...screen.person(me, null), name: this.#gate.visitor },
      visitor: this.#gate.visitor !== null,
      caughtUp: book.isCaughtUp,
      inbox: screen.inbox(me),
      conversation: open === null ? null : screen.conversation(open, me, desk.draftOfOpen, desk.prospect, desk.around),
      people: screen.people(),
      roles: screen.roles(me),
      devices: devices.shown(identity.device, identity.told),
      care: desk.care.shown(me),
      offers: desk.offers.of(me),
      gaps: desk.gaps.shown,
      copied: desk.copied.shown,
      taken: screen.taken(),
    };
  }

  #take(input: Input): void {
    const { now, lines, outbox } = this.#ground;
    switch (input.input) {
      case 'loaded':
        outbox.load(input.waiting, input.highest);
        return this.#gate.loaded(input.identity, input.secret);
      case 'storageFailed':
        return this.#gate.end('storage');
      case 'superseded':
        return this.#gate.end('superseded');
      case 'opened':
        return this.#on(input.line, (line) => {
          line.by = input.by;
          return line.session.opened(now.steady, input.binding);
        });
      case 'better':
        return this.#change(input.line);
      case 'bytes':
        return this.#bytes(input.line, input.bytes);
      case 'closed':
        return this.#closed(input.line, input.code);
      case 'signed':
        return this.#signed(input.token, input.signature);
      case 'keyReady':
        return this.#gate.keyReady(input.key, input.codeHash, input.secret);
      case 'secretKept':
        return this.#release(input.line);
      case 'sealed':
        return outbox.sealed(input.name, input.number, input.bytes);
      case 'draftsRead':
        return this.#ground.drafts.restored(input.drafts);
      case 'leaving':
        return this.#ground.keepDrafts(true);
      case 'kept':
        for (const { name, version } of input.kept) outbox.kept(name, version);
        return;
      case 'network':
        if (lines.line !== null) return this.#on(lines.line.number, (line) => line.session.probe(now.steady));
        if (lines.hurries(now)) this.#tick();
        return;
      case 'foreground':
        this.#gate.presence.foreground(input.isVisible, now);
        if (!input.isVisible) this.#ground.keepDrafts(true);
        if (!input.isVisible && this.#ground.session?.isOpen === true) this.#ground.desk.flushReceipts(now, true);
        return this.#tick();
      case 'ask':
        return this.#ask(input.number, input.body);
      case 'tick':
        return this.#tick();
      case 'command':
        return this.#command(input.command);
    }
  }

  #command(command: Command): void {
    const gate = this.#gate;
    switch (command.command) {
      case 'join':
        return gate.join(...command.with);
      case 'visit':
        return gate.visit(...command.with);
      case 'lookAgain':
        return gate.lookAgain();
      case 'unlock':
        return gate.unlock(...command.with);
      case 'unlockByPasskey':
        return gate.unlockByPasskey(...command.with);
      case 'dismissRefusal':
        gate.refusal = null;
        return;
      default: {
        // Whoever may see nothing may do nothing, but come.
        const isComing = command.command === 'answerStat' && command.with[2] === 'coming';
        if (!gate.isOpen && !(gate.stage.is === 'locked' && isComing)) return;
      }
    }
    // What was on the screen is told by the app itself, and nobody may be there; who locks wants the session to end.
    if (command.command !== 'seen' && command.command !== 'lock') gate.acted();
    switch (command.command) {
      case 'lock':
        return gate.lockHere();
      case 'touched':
        return;
      case 'devicesShown':
        return gate.devicesShown();
      case 'discard':
        return this.#ground.outbox.discard(command.with[0] as MessageName);
      default:
        break;
    }
    if (command.command !== 'draft' && command.command !== 'seen') gate.refusal = null;
    if (gate.identity === null) return;
    const { desk, now, chance } = this.#ground;
    const name = (): MessageName => toHex(chance.bytes(16)) as MessageName;
    act(desk, command, { now, boxAhead: gate.boxAhead, device: gate.identity.device, facility: this.#facility, name });
  }

  /** Nothing is kept for later: the page is there, and may ask again. */
  #ask(number: number, body: Ask): void {
    const { session, now } = this.#ground;
    const isTooMany = (session?.underWay().length ?? 0) >= PAGE_ASKS_MAX;
    const refuse = (refusal: Refusal): void => this.#ground.do({ effect: 'replied', number, reply: { reply: 'refused', refusal } });
    const isOpening = body.case === 'askPasskeyChallenge' && this.#gate.passkeyDoes;
    if (!this.#gate.isOpen && !isOpening) return refuse(ownRefusal('LOCKED'));
    if (isTooMany) return refuse(ownRefusal('SLOW_DOWN', { retryAfter: 1 }));
    if (!isOpening) this.#gate.acted();
    const stay = body.case === 'listFamily' ? idOf<StayId>(body.value.encounter ?? 0n) : null;
    const outs = session?.ask(now.steady, { ask: 'call', call: { call: 'page', number, stay } }, body) ?? null;
    if (outs === null) return refuse(ownRefusal('OFFLINE'));
    this.#ground.run(outs);
  }

  #tick(): void {
    const { session, lines, desk, now } = this.#ground;
    if (session !== null) this.#ground.run(session.tick(now.steady));
    else if (now.steady >= lines.retryAt()) this.#gate.connect();
    this.#gate.tick();
    if (now.steady >= this.#ringsUntil()) desk.rings.clear();
    const isShown = this.#gate.isOpen || this.#gate.stage.is === 'station';
    if (this.#gate.presence.isHere(now) && isShown) this.#ground.tell({ case: 'here', value: {} });
  }

  /** A unit's screen is the last that rings: without the box nobody knows that somebody has answered. */
  #ringsUntil(): number {
    const { lostAt } = this.#ground.lines;
    return lostAt === null || this.#gate.stage.is === 'station' ? Infinity : lostAt + RINGS_OFFLINE_MAX;
  }

  /** What comes with a new login secret waits, and what comes behind it: the first request that follows ends the old one. */
  #frames(line: Line, frames: readonly ServerFrame[]): void {
    const { lines, now } = this.#ground;
    const { number } = line;
    for (const [at, frame] of frames.entries()) {
      if (lines.of(number) === null) return;
      if (this.#held?.line === number) {
        this.#held.frames.push(...frames.slice(at));
        return;
      }
      const secret = frame.body.case === 'signedIn' ? frame.body.value.loginSecret : null;
      if (secret !== null && secret.length === SECRET && this.#kept?.line !== number) {
        this.#held = { line: number, frames: frames.slice(at), secret };
        return this.#ground.do({ effect: 'keepSecret', line: number, key: this.#gate.provingKey, secret });
      }
      try {
        this.#ground.run(line.session.frame(now.steady, frame));
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
        return this.#ground.run(line.session.broken());
      }
    }
  }

  #release(number: LineNumber): void {
    const held = this.#held;
    if (held?.line !== number) return;
    this.#held = null;
    this.#kept = { line: number };
    this.#gate.secretKept(held.secret);
    const line = this.#ground.lines.of(number);
    if (line !== null) this.#frames(line, held.frames);
  }

  #bytes(number: LineNumber, bytes: Uint8Array): void {
    const { lines } = this.#ground;
    const line = lines.of(number);
    if (line === null) return;
    lines.heard(this.#ground.now);
    this.#gate.heard();
    const { frames, fault } = line.decoder.push(bytes);
    this.#frames(line, frames);
    if (fault !== null && lines.of(number) !== null) this.#ground.run(line.session.broken());
  }

  /** Not while something is under way: it would have to be asked again. */
  #change(number: LineNumber): void {
    const { lines, now } = this.#ground;
    const line = lines.of(number);
    if (line === null || !line.session.isOpen || line.session.underWay().length > 0) return;
    this.#gate.leave(lines.changes(now));
    this.#tick();
  }

  #on(number: LineNumber, happened: (line: Line) => Out<Call>[]): void {
    const line = this.#ground.lines.of(number);
    if (line !== null) this.#ground.run(happened(line));
  }

  #out(out: Out<Call>): void {
    const { lines, desk, now, chance } = this.#ground;
    const { line } = lines;
    if (line === null) return;
    switch (out.out) {
      case 'send':
        return this.#ground.do({ effect: 'send', line: line.number, bytes: out.bytes });
      case 'close':
        return this.#ground.do({ effect: 'close', line: line.number });
      case 'sign':
        return this.#ground.sign(out.bytes, line.number, this.#gate.provingKey);
      case 'welcomed':
        this.#facility = out.root ?? this.#facility;
        this.#gate.boxAhead = momentOf(out.boxTime) - now.wall;
        this.#ground.do({ effect: 'met', line: line.number, leaves: out.leaves, challenge: out.challenge });
        return lines.welcomed(cleanLine(out.facility));
      case 'barred':
        return this.#gate.barred(out.hasLocked, out.dropped, out.passkey);
      case 'signedIn':
        return this.#gate.signedIn(out.signedIn, out.unlocked);
      case 'visitAsked':
        return this.#gate.visitAsked(out.asked);
      case 'refused':
        return this.#refused(out.asked, out.declined);
      case 'answer':
        if (out.asked.ask === 'call') desk.answered(out.asked.call, out, now);
        return;
      case 'accepted':
        lines.accepted();
        return desk.accepted(out.accepted, now);
      case 'told':
        if (this.#gate.isOpen) this.#ground.do({ effect: 'told', body: out.body });
        return desk.told(out.body);
      case 'syncStarted':
        if (out.snapshot) desk.care.tasks.forget();
        return desk.book.syncStarted(out.snapshot);
      case 'delivered': {
        const applied = desk.book.apply(out.cursor, out.event);
        if (applied.applied === 'message') desk.delivered(applied.message, now);
        if (applied.applied === 'task') desk.care.tasks.told(applied.task, this.#gate.identity?.person ?? null);
        if (applied.applied === 'device') this.#gate.devices.joined(applied.device);
        return;
      }
      case 'synced':
        desk.book.synced(out.cursor);
        return desk.caughtUp(now);
      case 'draining':
        return this.#gate.lost(lines.draining(out.retryAfter, now, chance.number()), line);
      case 'dead':
        return this.#gate.lost(lines.closed(out.why === 'protocol' ? CLOSE.malformed : null, now, chance.number()), line);
    }
  }

  #refused(asked: Asked<Call>, declined: Declined): void {
    const { lines, desk, outbox, session, now, chance } = this.#ground;
    switch (asked.ask) {
      case 'hello':
      case 'prove':
      case 'join':
        return this.#gate.turnedAway(declined);
      case 'unlock':
        if (verdictOf(declined.code) !== 'again') return this.#gate.turnedAway(declined);
        return this.#gate.notUnlocked(declined);
      case 'sync':
        if (declined.code !== RefusalCode.CURSOR_INVALID) return this.#gate.leave(lines.refused(declined.retryAfter, now, chance.number()));
        desk.book.anotherPast();
        desk.receipts.forget();
        return this.#ground.run(session?.sync(now.steady, new Uint8Array(0)) ?? null);
      case 'submit':
        return outbox.declined(asked.name, declined, now.steady, chance.number(), asked.asSealed);
      case 'call':
        if (asked.call.call === 'page') {
          const reply = { reply: 'refused', refusal: refusalOf(declined) } as const;
          return this.#ground.do({ effect: 'replied', number: asked.call.number, reply });
        }
        desk.unanswered(asked.call);
        this.#gate.refusal = refusalOf(declined);
        return;
      case 'echo':
        return;
    }
  }

  #closed(number: LineNumber, code: number | null): void {
    const { lines, outbox, now, chance } = this.#ground;
    const line = lines.of(number);
    if (line === null) return;
    const { lastWords } = line.session;
    if (code === CLOSE.numberReused) outbox.suspectNumbers(line.session.submits());
    if (code === CLOSE.refused && lastWords !== null) {
      this.#gate.abandon(line);
      return this.#gate.turnedAway(lastWords);
    }
    this.#gate.lost(lines.closed(code, now, chance.number()), line);
  }

  #signed(token: number, signature: Signature | null): void {
    const then = this.#ground.signed(token);
    if (then === null) return;
    if (signature === null) return this.#gate.end('storage');
    if (typeof then === 'number') this.#on(then, (line) => line.session.signed(this.#ground.now.steady, signature));
    else if ('talk' in then) this.#ground.desk.talk.signed(then, signature);
    else this.#ground.desk.signed(then, signature);
  }

  /** Writes what is to be written, sends what may go. */
  #push(): void {
    const { is } = this.#gate.stage;
    if (is === 'starting' || is === 'ended') return;
    const { outbox, session, desk, now } = this.#ground;
    outbox.giveUpLate(now.wall);
    if (session?.isOpen === true) {
      for (const waiting of outbox.pick(session.submits(), now.steady)) {
        this.#ground.run(session.ask(now.steady, { ask: 'submit', name: waiting.name }, submitOf(waiting)));
      }
      desk.flushReceipts(now);
      const missing = this.#gate.isOpen && session.submits().length === 0 ? desk.takeMissing() : null;
      if (missing !== null) this.#ground.run(session.sync(now.steady, missing));
    } else if (session?.isBarred === true) {
      const waiting = outbox.pickLocked(session.submits(), now.steady);
      const asked = { ask: 'submit', asSealed: true } as const;
      if (waiting !== null) this.#ground.run(session.ask(now.steady, { ...asked, name: waiting.name }, submitSealedOf(waiting)));
    }
    for (const sealing of outbox.toSeal()) this.#ground.do({ effect: 'seal', sealing });
    this.#ground.keepDrafts(!this.#gate.isOpen);
    const writes = outbox.flush();
    if (writes !== null) this.#ground.do({ effect: 'write', writes });
  }

  #newDesk(ground: Ground): Desk {
    return new Desk(ground.outbox, ground.drafts, {
      ask: (call, body) => {
        if (this.#held !== null) return false;
        const outs = ground.session?.ask(ground.now.steady, { ask: 'call', call }, body) ?? null;
        ground.run(outs);
        return outs !== null;
      },
      tell: (body) => ground.tell(body),
      sign: (bytes, later, hashed = null) => {
        if (ground.session?.isOpen === true) ground.sign(bytes, later, 'device', hashed);
        else this.#gate.refuse('OFFLINE');
      },
      refuse: (refusal) => {
        this.#gate.refusal = refusal;
      },
      reply: (number, reply) => ground.do({ effect: 'replied', number, reply }),
    });
  }
}
