// What a consent opens of live data: vitals measured within the granted time, and nothing else.
import { z } from "zod";
import type { RowConsent } from "../../access/consented.ts";
import { CONSENT_PURPOSES } from "../../platform/db/vocabulary.ts";
import { toIso } from "../../platform/time.ts";
import type { LiveSample, PatientFrame, PatientSnapshot, SharedFrame, SharedSnapshot } from "../patient-object/contract.ts";
import { toFrameBody } from "./frame-buffer.ts";
import type { NumberedFrame } from "./sockets.ts";

/** The consent by which a view shows a patient. */
export type LiveGrant = RowConsent;
export const LiveGrant: z.ZodType<LiveGrant> = z.strictObject({
  consentId: z.string(),
  purpose: z.enum(CONSENT_PURPOSES),
  from: z.int(),
  until: z.int(),
  expiresAt: z.int(),
});

/** When a live view by this consent ends, Unix ms: when the consent expires, or when its data end. */
export const grantEndsAt = ({ until, expiresAt }: LiveGrant): number => Math.min(expiresAt, until + 1);

const isInForce = (grant: LiveGrant, now: number) => grant.from <= now && now < grantEndsAt(grant);

/** Whether frames that were limited by one may be followed by frames that are limited by the other. */
export const isSameGrant = (a: LiveGrant | undefined, b: LiveGrant | undefined): boolean =>
  a?.consentId === b?.consentId && a?.from === b?.from && a?.until === b?.until;

/** Unix ms, both included. */
type Span = { from: number; until: number };

function isMeasuredWithin({ effective_at }: LiveSample, { from, until }: Span): boolean {
  const at = Date.parse(effective_at);
  return from <= at && at <= until;
}

/** A patient's current state as a consent shows it: the samples of the granted time. */
export function limitSnapshot({ patient_id, latest, as_of }: PatientSnapshot, span: Span): SharedSnapshot {
  return { patient_id, latest: latest.filter((sample) => isMeasuredWithin(sample, span)), as_of };
}

/** @returns null where nothing of the frame is shared */
function limitPatientFrame(frame: PatientFrame, span: Span): SharedFrame | null {
  const { type, patient_id } = frame;
  switch (type) {
    case "samples": {
      const samples = frame.samples.filter((sample) => isMeasuredWithin(sample, span));
      return samples.length > 0 ? { type, patient_id, samples } : null;
    }
    case "backfill": {
      // Without the number: it counts samples outside of the granted time too.
      const [from, to] = [Math.max(Date.parse(frame.from), span.from), Math.min(Date.parse(frame.to), span.until)];
      return from <= to ? { type, patient_id, from: toIso(from), to: toIso(to) } : null;
    }
    case "alert":
    case "limits":
    case "observations":
      return null;
  }
}

type StoredFrame = PatientFrame | { type: "snapshot"; patients: PatientSnapshot[] };

/**
 * A frame as a view by consent gets it. Frames about the view itself, such as `view` and `gap`, stay as they are.
 * @param grants by patient  @returns null where nothing of the frame is shared now
 */
export function limitFrame(frame: NumberedFrame, grants: ReadonlyMap<string, LiveGrant>, now: number): NumberedFrame | null {
  if (frame.patients.length === 0) return frame;
  const findSpan = (patientId: string) => {
    const grant = grants.get(patientId);
    return grant && isInForce(grant, now) ? grant : null;
  };
  const content: StoredFrame = JSON.parse(`{${frame.body}`);
  if (content.type === "snapshot") {
    const patients = content.patients.flatMap((snapshot) => {
      const span = findSpan(snapshot.patient_id);
      return span ? [limitSnapshot(snapshot, span)] : [];
    });
    return patients.length > 0 ? { ...frame, body: toFrameBody({ type: "snapshot", patients }) } : null;
  }
  const span = findSpan(content.patient_id);
  const limited = span && limitPatientFrame(content, span);
  return limited && { ...frame, body: toFrameBody(limited) };
}
