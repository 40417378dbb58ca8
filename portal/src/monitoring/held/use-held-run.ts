// Files or discards chosen entries, ten per request, and collects what became of each.
import { useRef, useState } from "react";
import type { Candidate } from "../../reports/upload/patient-picker.tsx";
import { discardHeld, fileHeld, type HeldEntry, invalidateHeld, type Resolution } from "./api.ts";

/** The service's limit of entries per request. */
const ENTRIES_PER_REQUEST = 10;

/** `patient`: for whom they are filed; null discards them. */
export type HeldJob = { entries: readonly HeldEntry[]; patient: Candidate | null; reason: string };
export type HeldRun = HeldJob & {
  state: "running" | "stopped" | "done";
  results: readonly Resolution[];
  /** Why it stopped, unless a person stopped it. */
  error: unknown;
};

/**
 * Entries are named by id, not by a range of time: a request whose response was lost is sent again unchanged, changes nothing twice,
 * and its response still says what became of each.
 */
export function useHeldRun() {
  const [run, setRun] = useState<HeldRun | null>(null);
  const isRunning = useRef(false);
  const isStopped = useRef(false);

  async function proceed(job: HeldJob, earlier: readonly Resolution[]): Promise<void> {
    if (isRunning.current) return;
    isRunning.current = true;
    isStopped.current = false;
    const results = [...earlier];
    const show = (state: HeldRun["state"], error: unknown = null) => setRun({ ...job, state, results: [...results], error });
    try {
      while (results.length < job.entries.length && !isStopped.current) {
        show("running");
        results.push(...(await resolveNext(job, results)));
      }
      show(results.length < job.entries.length ? "stopped" : "done");
    } catch (error) {
      show("stopped", error);
    } finally {
      isRunning.current = false;
      await invalidateHeld();
    }
  }

  return {
    run,
    start: (job: HeldJob) => void proceed(job, []),
    resume: () => run && void proceed(run, run.results),
    stop: () => {
      isStopped.current = true;
    },
    dismiss: () => setRun(null),
  };
}

/** @throws Problem, also when the service leaves out an entry: the loop would not end */
async function resolveNext({ entries, patient, reason }: HeldJob, resolved: readonly Resolution[]): Promise<Resolution[]> {
  const next = entries.slice(resolved.length, resolved.length + ENTRIES_PER_REQUEST);
  const request = { device_id: next[0]?.device_id ?? "", held_ids: next.map(({ held_id }) => held_id), reason };
  const { results } = patient ? await fileHeld({ ...request, patient_id: patient.patient_id }) : await discardHeld(request);
  return request.held_ids.map((id) => {
    const found = results.find(({ held_id }) => held_id === id);
    if (!found) throw new Error("an entry is missing in the response");
    return found;
  });
}
