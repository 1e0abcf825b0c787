/**
 * Passkeys (WebAuthn) of this browser: made, used, and brought to the box. The phone asks for finger, face or screen lock; the box checks
 * what comes of it. Bound to the page's host, and to this phone as far as it can be: no other is asked for.
 */

import { fromHex } from '../domain/bytes.ts';
import type { Ask, Told } from '../domain/frames.ts';
import { momentOf } from '../domain/ids.ts';
import type { Assertion, Id, Passkeys, PasskeyShown, Refusal, Reply } from '../domain/snapshot.ts';

/** ECDSA with P-256 and SHA-256 (RFC 9053): the one that the box takes, and every phone has. */
const ES256 = -7;
/** How long a person may take. Below the two minutes of a challenge. Milliseconds. */
const TAKES_MAX = 100_000;

export class BoxPasskeys implements Omit<Passkeys, 'possible'> {
  readonly #ask: (body: Ask) => Promise<Reply>;
  readonly #unlock: (assertion: Assertion) => void;

  constructor(ask: (body: Ask) => Promise<Reply>, unlock: (assertion: Assertion) => void) {
    this.#ask = ask;
    this.#unlock = unlock;
  }

  async list(): Promise<readonly PasskeyShown[] | Refusal> {
    return listed(await this.#ask({ case: 'listPasskeys', value: {} }));
  }

  async add(name: string, device: Id): Promise<readonly PasskeyShown[] | Refusal> {
    const asked = await this.#challenge();
    if ('code' in asked) return asked;
    const made = await ofPerson(() =>
      navigator.credentials.create({
        publicKey: {
          rp: { name: 'Wardline' },
          // The same for each of one device: a new one takes the older one's place in the phone.
          user: { id: Uint8Array.from(fromHex(device) ?? []), name, displayName: name },
          challenge: asked.challenge,
          pubKeyCredParams: [{ type: 'public-key', alg: ES256 }],
          excludeCredentials: asked.held,
          attestation: 'none',
          authenticatorSelection: { authenticatorAttachment: 'platform', residentKey: 'discouraged', userVerification: 'required' },
          timeout: TAKES_MAX,
        },
      }),
    );
    if ('code' in made) return made;
    const response = made.response as AuthenticatorAttestationResponse;
    const value = { clientData: new Uint8Array(response.clientDataJSON), authenticatorData: new Uint8Array(response.getAuthenticatorData()) };
    return listed(await this.#ask({ case: 'addPasskey', value }));
  }

  async remove({ credential }: PasskeyShown): Promise<readonly PasskeyShown[] | Refusal> {
    return listed(await this.#ask({ case: 'removePasskey', value: { credential } }));
  }

  async unlock(): Promise<Refusal | null> {
    const asked = await this.#challenge();
    if ('code' in asked) return asked;
    const used = await ofPerson(() =>
      navigator.credentials.get({
        publicKey: { challenge: asked.challenge, allowCredentials: asked.held, userVerification: 'required', timeout: TAKES_MAX },
      }),
    );
    if ('code' in used) return used;
    const response = used.response as AuthenticatorAssertionResponse;
    this.#unlock({
      credential: new Uint8Array(used.rawId),
      clientData: new Uint8Array(response.clientDataJSON),
      authenticatorData: new Uint8Array(response.authenticatorData),
      signature: new Uint8Array(response.signature),
    });
    return null;
  }

  async #challenge(): Promise<Challenge | Refusal> {
    const reply = await this.#ask({ case: 'askPasskeyChallenge', value: {} });
    if (reply.reply === 'refused') return reply.refusal;
    if (reply.body.case !== 'passkeyChallenge') return own('PASSKEY_FAILED');
    const { challenge, credentials } = reply.body.value;
    return { challenge: Uint8Array.from(challenge), held: credentials.map((id) => ({ type: 'public-key', id: Uint8Array.from(id) })) };
  }
}

interface Challenge {
  readonly challenge: Uint8Array<ArrayBuffer>;
  readonly held: PublicKeyCredentialDescriptor[];
}

/** What the person let happen, or why nothing did. Browsers do not tell apart who cancels, who has none, and who takes too long. */
async function ofPerson(happen: () => Promise<Credential | null>): Promise<PublicKeyCredential | Refusal> {
  try {
    const credential = await happen();
    return credential instanceof PublicKeyCredential ? credential : own('PASSKEY_FAILED');
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'InvalidStateError') return own('PASSKEY_THERE');
    return own(name === 'NotAllowedError' || name === 'AbortError' ? 'PASSKEY_CANCELLED' : 'PASSKEY_FAILED');
  }
}

function listed(reply: Reply): readonly PasskeyShown[] | Refusal {
  if (reply.reply === 'refused') return reply.refusal;
  return isList(reply.body) ? reply.body.value.passkeys.map(({ credential, added }) => ({ credential, added: momentOf(added) })) : own('PASSKEY_FAILED');
}

function isList(body: Told): body is Extract<Told, { case: 'passkeyList' }> {
  return body.case === 'passkeyList';
}

/** Why it did not come to the box's word; the two places that use passkeys have the words. */
function own(code: 'PASSKEY_CANCELLED' | 'PASSKEY_FAILED' | 'PASSKEY_THERE'): Refusal {
  return { code, advice: '' };
}
