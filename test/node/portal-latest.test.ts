// The portal's latest values: the order of the service, and stored values that become invalid.
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { applyFrame, clearPatients, getLivePatient } from "../../portal/src/monitoring/live/patient-store.ts";
import type { LiveSample } from "../../src/monitoring/patient-object/contract.ts";

const NOW = Date.UTC(2026, 10, 29, 12);
const PATIENT = "p";
beforeAll(() => void vi.stubGlobal("requestAnimationFrame", () => 0));
beforeEach(clearPatients);

const toIso = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
const sample = (id: string, value: number, measured: number, received: number, status: LiveSample["status"] = "final") => ({
  observation_id: id,
  code: "8480-6",
  name: "systolic",
  value,
  unit: "mm[Hg]",
  effective_at: toIso(measured),
  received_at: toIso(received),
  device_id: "d",
  performer_id: null,
  status,
});
let seq = 0;
const push = (...samples: LiveSample[]) =>
  applyFrame({
    type: "samples",
    patient_id: PATIENT,
    samples,
    news2: { status: "incomplete", missing: [], stale: [] },
    observations: { mode: "spot", status: "never", due_at: null, overdue_at: null, last_attempt: null, pause: null },
    trend_mark: null,
    seq: ++seq,
  });
const shown = () => [...(getLivePatient(PATIENT)?.latest.values() ?? [])].map(({ value, status }) => `${value} ${status}`);

it("lets no value that is ahead of the clock hide a later one", () => {
  push(sample("a", 72, 115, 0));
  push(sample("b", 44, 1, 1));
  expect(shown()).toEqual(["44 final"]);
});

it("shows the valid value before, when a stored one becomes invalid", () => {
  push(sample("a", 120, 0, 0));
  push(sample("b", 70, 60, 60));
  push(sample("b", 70, 60, 60, "invalid"), sample("a", 120, 0, 0));
  expect(shown().sort()).toEqual(["120 final", "70 invalid"]);
});
