// A running or finished verification of one log.
import { useEffect, useRef, useState } from "react";
import { serverNow } from "../monitoring/live/server-clock.ts";
import { type LogChoice, verifyPart } from "./api.ts";
import { type Verification, verifyLog } from "./verification.ts";

/** `endedAt`: epoch ms of the server; a cancelled or failed one keeps what was checked until then. */
type Run = {
  status: "idle" | "running" | "ended" | "cancelled" | "failed";
  verification: Verification | null;
  error: unknown;
  endedAt: number | null;
};
const IDLE: Run = { status: "idle", verification: null, error: null, endedAt: null };

/** The caller is mounted anew for another log. */
export function useVerification(hospitalId: LogChoice) {
  const [run, setRun] = useState<Run>(IDLE);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(), []);

  async function start(): Promise<void> {
    const current = new AbortController();
    controller.current = current;
    const { signal } = current;
    setRun({ ...IDLE, status: "running" });
    const readPart = (cursor: string | null) => verifyPart(hospitalId, cursor, signal);
    const onProgress = (verification: Verification) => setRun({ ...IDLE, status: "running", verification });
    try {
      const verification = await verifyLog({ readPart, signal, onProgress });
      setRun({ ...IDLE, status: "ended", verification, endedAt: serverNow() });
    } catch (error) {
      if (!signal.aborted) setRun((before) => ({ ...before, status: "failed", error, endedAt: serverNow() }));
    }
  }
  function cancel(): void {
    controller.current?.abort();
    setRun((before) => ({ ...before, status: "cancelled", endedAt: serverNow() }));
  }
  return { run, start: () => void start(), cancel };
}
