// Fingerprints of what a list can ask for: they tell which segments and blocks need not be read.
import { createHash } from "node:crypto";
import type { AuditLogEvent, LogFilter } from "../contract.ts";

/** Terms of a file or a block beyond which it stores none and may match every filter. */
export const MAX_FILE_TERMS = 262_144;
export const MAX_BLOCK_TERMS = 8_192;

/** `p:` patient, `a:` actor, `e:` event, `o:` outcome, `x:` actor of another hospital (alone, and with that hospital's id). */
export function termsOf(event: AuditLogEvent): string[] {
  const terms = event.subjects.map((id) => `p:${id}`);
  if (event.actor.id !== null) terms.push(`a:${event.actor.id}`);
  terms.push(`e:${event.event}`, `o:${event.outcome}`);
  if (event.actor_hospital_id !== null) terms.push("x:", `x:${event.actor_hospital_id}`);
  return terms;
}

/** The first 4 bytes of SHA-256 as an unsigned integer; its upper half is the fingerprint in a block. */
export const fingerprint = (term: string): number => createHash("sha256").update(term).digest().readUInt32BE(0);

/** Each inner list needs one of its fingerprints. */
export type RequiredTerms = readonly (readonly number[])[];

export function requiredTerms(filter: LogFilter): RequiredTerms {
  const { patientIds, actorId, event, outcome, isAbroad, actorHospitalId } = filter;
  const required = patientIds === null ? [] : [patientIds.map((id) => fingerprint(`p:${id}`))];
  const single = [
    actorId === undefined ? null : `a:${actorId}`,
    event === undefined ? null : `e:${event}`,
    outcome === undefined ? null : `o:${outcome}`,
    isAbroad ? "x:" : null,
    actorHospitalId === undefined ? null : `x:${actorHospitalId}`,
  ];
  return [...required, ...single.flatMap((term) => (term === null ? [] : [[fingerprint(term)]]))];
}

/** Sorted, 4 bytes big-endian each; empty if there are more than MAX_FILE_TERMS. */
export function encodeFileTerms(fingerprints: Iterable<number>): Uint8Array<ArrayBuffer> {
  const sorted = Uint32Array.from(new Set(fingerprints)).sort();
  if (sorted.length > MAX_FILE_TERMS) return new Uint8Array();
  const bytes = new Uint8Array(sorted.length * 4);
  const view = new DataView(bytes.buffer);
  sorted.forEach((value, i) => {
    view.setUint32(i * 4, value);
  });
  return bytes;
}

/** Whether an ascending list, given as a length and a reader of its items, has a value. */
function includesSorted(length: number, at: (index: number) => number, value: number): boolean {
  let low = 0;
  for (let high = length; low < high; ) {
    const middle = (low + high) >> 1;
    if (at(middle) < value) low = middle + 1;
    else high = middle;
  }
  return low < length && at(low) === value;
}

export function blockMayMatch(fingerprints: Uint16Array, required: RequiredTerms): boolean {
  if (fingerprints.length === 0) return true;
  const has = (value: number) => includesSorted(fingerprints.length, (i) => fingerprints[i] ?? 0, value >>> 16);
  return required.every((group) => group.some(has));
}

/** Prepares a filter once for the terms of many segments. Never false for a segment that has a matching entry. */
export function termMatcher(filter: LogFilter): (terms: Uint8Array | ArrayBuffer) => boolean {
  const required = requiredTerms(filter);
  return (terms) => {
    if (terms.byteLength === 0) return true;
    const view =
      terms instanceof ArrayBuffer ? new DataView(terms) : new DataView(terms.buffer, terms.byteOffset, terms.byteLength);
    const has = (value: number) => includesSorted(view.byteLength >> 2, (i) => view.getUint32(i * 4), value);
    return required.every((group) => group.some(has));
  };
}

/** Whether a segment with these terms may have an entry that meets the filter; times are in its SegmentRef. */
export const mayMatch = (terms: Uint8Array | ArrayBuffer, filter: LogFilter): boolean => termMatcher(filter)(terms);
