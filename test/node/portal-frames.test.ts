// Frames of the live socket in the portal: accepts real ones, rejects damaged ones, ignores unknown types.
import { describe, expect, it } from "vitest";
import { readFrame } from "../../portal/src/monitoring/live/frame.ts";
import fixture from "../fixtures/objects/PatientMonitor-1.json" with { type: "json" };

const { snapshot, samples } = fixture.answers;
const [alert] = snapshot.alerts;
const { news2, limits, patient_id } = snapshot;
const last_attempt = { at: snapshot.as_of, reason: "refused", performer_id: "nurse" };
const due = { mode: "spot", status: "due", due_at: snapshot.as_of, overdue_at: snapshot.as_of, last_attempt, pause: null };
const trend_mark = {
  label: "EdgeCare trend, not NEWS2",
  status: "up",
  smoothed_score: 4.7,
  readings_since: snapshot.as_of,
  marked_since: snapshot.as_of,
  fever_at: null,
  as_of: snapshot.as_of,
  overdue_at: snapshot.as_of,
};
const frames = [
  { seq: 1, type: "snapshot", patients: [snapshot] },
  { seq: 2, type: "samples", patient_id, samples, news2 },
  { seq: 3, type: "alert", patient_id, what: "raised", alert },
  { seq: 4, type: "limits", patient_id, limits },
  { seq: 5, type: "view", patient_ids: [patient_id] },
  { seq: 6, type: "gap", from: 1, to: 2 },
  { seq: 7, type: "observations", patient_id, observations: due },
  { seq: 8, type: "samples", patient_id, samples, news2, trend_mark },
  { seq: 9, type: "observations", patient_id, observations: due, trend_mark: null },
];

describe("a frame of the live socket", () => {
  it.each(frames)("of type $type is read as it is", (frame) => {
    expect(readFrame(JSON.stringify(frame))).toEqual({ frame });
  });

  it("may have fields that the portal does not know", () => {
    expect(readFrame(JSON.stringify({ ...frames[4], more: 1 }))).toHaveProperty("frame");
  });

  it("of an unknown kind changes nothing but the number", () => {
    expect(readFrame('{"seq":7,"type":"weather","sun":true}')).toEqual({ unknown: true, seq: 7 });
  });

  it.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["no number", '{"type":"gap","from":1,"to":2}'],
    ["no type", '{"seq":1}'],
    ["a value that is a text", JSON.stringify({ ...frames[1], samples: [{ ...samples[0], value: "97" }] })],
    ["a time that is none", JSON.stringify({ ...frames[1], samples: [{ ...samples[0], effective_at: "yesterday" }] })],
    ["an alert of no priority", JSON.stringify({ ...frames[2], alert: { ...alert, priority: "urgent" } })],
    ["a patient without limits", JSON.stringify({ ...frames[0], patients: [{ ...snapshot, limits: undefined }] })],
    ["a due time that is none", JSON.stringify({ ...frames[6], observations: { ...due, due_at: "soon" } })],
    ["a mark of no kind", JSON.stringify({ ...frames[7], trend_mark: { ...trend_mark, status: "high" } })],
    ["a score of no kind", JSON.stringify({ ...frames[1], news2: { status: "fine" } })],
  ])("with %s is damaged", (_, data) => {
    expect(readFrame(data)).toEqual({ damaged: true });
  });
});
