// Known-bad twin of PatientMonitor: it acknowledges before it stores. The torture test must detect it.
import worker from "../../src/index.ts";
import type { IncomingBatch, Origin, RecordResult } from "../../src/monitoring/patient-object/contract.ts";
import { PatientMonitor as Monitor } from "../../src/monitoring/patient-object/patient-monitor.ts";

export { WardFeed } from "../../src/index.ts";

const STORE_DELAY_MS = 300;

export class PatientMonitor extends Monitor {
  override record(origin: Origin, batch: IncomingBatch): RecordResult {
    if (!this.snapshot()) return super.record(origin, batch);
    setTimeout(() => super.record(origin, batch), STORE_DELAY_MS);
    return { known: true, results: batch.items.map((_, index) => ({ index, status: "stored" as const })), clock: null };
  }
}

export default worker;
