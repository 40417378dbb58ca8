// What a grant opens of live data: a consent vitals measured within the granted time and nothing else, an emergency access all.
import { toIso } from "../../platform/time.ts";
import type { LiveSample, PatientFrame, PatientSnapshot, SharedFrame, SharedSnapshot } from "../patient-object/contract.ts";
import { toFrameBody } from "./frame-buffer.ts";
import { isEmergency, isInForce, type LiveGrant } from "./live-grant.ts";
import type { NumberedFrame } from "./sockets.ts";

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
 * A frame as a view by grants gets it. Frames about the view itself, such as `view` and `gap`, stay as they are.
 * @param grants by patient  @returns null where nothing of the frame is shared now
 */
export function limitFrame(frame: NumberedFrame, grants: ReadonlyMap<string, LiveGrant>, now: number): NumberedFrame | null {
  const open = frame.patients.flatMap((id) => grants.get(id) ?? []).filter((grant) => isInForce(grant, now));
  if (open.length === frame.patients.length && open.every(isEmergency)) return frame;
  return limitToConsents(frame, grants, now);
}

function limitToConsents(frame: NumberedFrame, grants: ReadonlyMap<string, LiveGrant>, now: number): NumberedFrame | null {
  const findSpan = (patientId: string) => {
    const grant = grants.get(patientId);
    return grant && !isEmergency(grant) && isInForce(grant, now) ? grant : null;
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
