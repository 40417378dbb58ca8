// The terms by which lists skip a segment: each event's own must be among them.
import { createHash } from "node:crypto";
import type { Entry } from "./leaf.ts";

const MAX_KNOWN = 100_000;

/** Fingerprints of terms: the first 4 bytes of their SHA-256, big-endian. */
export class Fingerprints {
  readonly #known = new Map<string, number>();

  of(term: string): number {
    const known = this.#known.get(term);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const fingerprint = createHash("sha256").update(term).digest().readUInt32BE(0);
    this.#known.set(term, fingerprint);
    return fingerprint;
  }
}

/** @returns null for an empty list, which excludes nothing */
export function parseTerms(bytes: Uint8Array): ReadonlySet<number> | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const terms = new Set<number>();
  let last = -1;
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const term = view.getUint32(at);
    // Lists search it as a sorted one, so that nothing out of order is found.
    if (term > last) terms.add(term);
    last = Math.max(last, term);
  }
  return bytes.length === 0 ? null : terms;
}

/** Patients, actor, event, outcome, and the actor's hospital if it is another one. */
export function termsOf({ actor, actor_hospital_id: abroad, event, outcome, subjects }: Entry): string[] {
  return [
    ...subjects.map((id) => `p:${id}`),
    ...(actor.id === null ? [] : [`a:${actor.id}`]),
    `e:${event}`,
    `o:${outcome}`,
    ...(abroad === null ? [] : ["x:", `x:${abroad}`]),
  ];
}
