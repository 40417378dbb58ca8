// Step-up: requests that need a recent sign-in wait together for one dialog, in which the person proves who they are.

/** `sign_in`: by any method; `second_step`: by a passkey or a code. */
export type StepUp = "sign_in" | "second_step";

type Pending = { stepUp: StepUp; isDone: Promise<boolean>; settle: (isDone: boolean) => void };

let pending: Pending | null = null;
let lastDone: { stepUp: StepUp; at: number } | null = null;
const listeners = new Set<() => void>();

/** What the dialog has to ask for; null while nothing waits. */
export const getStepUp = (): StepUp | null => pending?.stepUp ?? null;

export function subscribeStepUp(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function setPending(next: Pending | null): void {
  pending = next;
  for (const listener of listeners) listener();
}

/**
 * Asks the person, together with all that ask meanwhile, unless they proved it while the request was under way.
 * @param sentAt when the request was sent, by performance.now() @returns false when they cancel
 */
export function requestStepUp(stepUp: StepUp, sentAt: number): Promise<boolean> {
  if (lastDone && lastDone.at > sentAt && (stepUp === "sign_in" || lastDone.stepUp === stepUp)) return Promise.resolve(true);
  if (!pending) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    setPending({ stepUp, isDone: promise, settle: resolve });
    return promise;
  }
  if (stepUp === "second_step" && pending.stepUp === "sign_in") setPending({ ...pending, stepUp });
  return pending.isDone;
}

/** Ends the dialog: the requests are sent again, or fail. */
export function settleStepUp(isDone: boolean): void {
  const settled = pending;
  if (settled && isDone) lastDone = { stepUp: settled.stepUp, at: performance.now() };
  setPending(null);
  settled?.settle(isDone);
}
