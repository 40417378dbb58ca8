// A software authenticator, written from WebAuthn Level 3 (sections 5.8.1, 6.1, 6.5, 8.7) and RFC 8949: ES256, no attestation.
import { env } from "cloudflare:workers";
import { createHash } from "node:crypto";
import { fromBase64Url, toBase64Url } from "../src/platform/base64.ts";

const encoder = new TextEncoder();
const sha256 = (bytes: Uint8Array | string) => new Uint8Array(createHash("sha256").update(bytes).digest());
const concat = (...parts: (Uint8Array | number[])[]) => new Uint8Array(parts.flatMap((part) => [...part]));

/** Major type and argument below 65,536 (RFC 8949, section 3). */
function cborHead(major: number, n: number): number[] {
  if (n < 24) return [(major << 5) | n];
  return n < 256 ? [(major << 5) | 24, n] : [(major << 5) | 25, n >> 8, n & 255];
}
const cborInt = (n: number) => (n >= 0 ? cborHead(0, n) : cborHead(1, -1 - n));
const cborBytes = (bytes: Uint8Array) => concat(cborHead(2, bytes.length), bytes);
const cborText = (text: string) => concat(cborHead(3, text.length), encoder.encode(text));
const cborMap = (...entries: (Uint8Array | number[])[][]) => concat(cborHead(5, entries.length), ...entries.flat());

/** A signature as two numbers, from WebCrypto, in the DER of ASN.1. */
function toDer(signature: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array) => {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start++;
    const short = bytes.subarray(start);
    const body = (short[0] ?? 0) > 127 ? concat([0], short) : short;
    return concat([2, body.length], body);
  };
  const body = concat(integer(signature.subarray(0, 32)), integer(signature.subarray(32)));
  return concat([0x30, body.length], body);
}

/** What a dishonest or broken client sends in place of the right values. */
export type Deviation = {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  counter?: number;
  isUserVerified?: boolean;
  signer?: Authenticator;
  userHandle?: string;
};

type CreationOptions = { challenge: string; rp: { id: string }; user: { id: string } };
type RequestOptions = { challenge: string; rpId: string };

export class Authenticator {
  readonly #keys: CryptoKeyPair;
  readonly id: string;
  counter = 0;
  #userHandle = "";

  private constructor(keys: CryptoKeyPair) {
    this.#keys = keys;
    this.id = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  }

  static async create(): Promise<Authenticator> {
    const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    return new Authenticator(keys as CryptoKeyPair);
  }

  /** RegistrationResponseJSON. */
  async register(options: CreationOptions, deviation: Deviation = {}) {
    this.#userHandle = options.user.id;
    const jwk = (await crypto.subtle.exportKey("jwk", this.#keys.publicKey)) as JsonWebKey;
    const coordinate = (text: string | undefined) => cborBytes(fromBase64Url(text ?? "") ?? new Uint8Array());
    const cose = cborMap(
      [cborInt(1), cborInt(2)],
      [cborInt(3), cborInt(-7)],
      [cborInt(-1), cborInt(1)],
      [cborInt(-2), coordinate(jwk.x)],
      [cborInt(-3), coordinate(jwk.y)],
    );
    const id = fromBase64Url(this.id) ?? new Uint8Array();
    const attested = concat(new Uint8Array(16), [id.length >> 8, id.length & 255], id, cose);
    const authData = concat(this.#authenticatorData(options.rp.id, deviation, 0x40), attested);
    const attestation = cborMap(
      [cborText("fmt"), cborText("none")],
      [cborText("attStmt"), cborMap()],
      [cborText("authData"), cborBytes(authData)],
    );
    return this.#credential({
      clientDataJSON: toBase64Url(this.#clientData("webauthn.create", options.challenge, deviation)),
      attestationObject: toBase64Url(attestation),
      transports: ["internal"],
    });
  }

  /** AuthenticationResponseJSON. */
  async assert(options: RequestOptions, deviation: Deviation = {}) {
    this.counter++;
    const userHandle = deviation.userHandle ?? this.#userHandle;
    const authData = this.#authenticatorData(options.rpId, deviation, 0);
    const clientData = this.#clientData("webauthn.get", options.challenge, deviation);
    const { privateKey } = (deviation.signer ?? this).#keys;
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    const signature = await crypto.subtle.sign(algorithm, privateKey, concat(authData, sha256(clientData)));
    return this.#credential({
      clientDataJSON: toBase64Url(clientData),
      authenticatorData: toBase64Url(authData),
      signature: toBase64Url(toDer(new Uint8Array(signature))),
      ...(userHandle && { userHandle }),
    });
  }

  #credential<T>(response: T) {
    return { id: this.id, rawId: this.id, type: "public-key", clientExtensionResults: {}, response };
  }

  #clientData(type: string, challenge: string, deviation: Deviation): Uint8Array {
    const origin = deviation.origin ?? env.PUBLIC_ORIGIN;
    return encoder.encode(
      JSON.stringify({ type: deviation.type ?? type, challenge: deviation.challenge ?? challenge, origin, crossOrigin: false }),
    );
  }

  /** Hash of the relying party, flags (user present, user verified, attested data) and counter. */
  #authenticatorData(rpId: string, deviation: Deviation, attestedFlag: number): Uint8Array {
    const flags = 0x01 | (deviation.isUserVerified === false ? 0 : 0x04) | attestedFlag;
    const n = deviation.counter ?? this.counter;
    return concat(sha256(deviation.rpId ?? rpId), [flags, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
  }
}
