// Requests of the portal that need a recent sign-in wait for one dialog.
import { expect, it, vi } from "vitest";
import { getStepUp, requestStepUp, settleStepUp, subscribeStepUp } from "../../portal/src/platform/api/step-up.ts";

const now = () => performance.now();

it("asks once for all requests that wait, for the strictest of them, and answers all alike", async () => {
  const changes: unknown[] = [];
  const unsubscribe = subscribeStepUp(() => changes.push(getStepUp()));
  const waiting = [requestStepUp("sign_in", now()), requestStepUp("second_step", now()), requestStepUp("sign_in", now())];
  expect(getStepUp()).toBe("second_step");
  settleStepUp(false);
  expect(await Promise.all(waiting)).toEqual([false, false, false]);
  expect(changes).toEqual(["sign_in", "second_step", null]);
  unsubscribe();
});

it("does not ask again for a request that was under way meanwhile", async () => {
  vi.useFakeTimers();
  try {
    const sentAt = now();
    vi.advanceTimersByTime(10);
    const first = requestStepUp("sign_in", now());
    settleStepUp(true);
    expect(await first).toBe(true);
    expect(await requestStepUp("sign_in", sentAt)).toBe(true);
    expect(getStepUp()).toBeNull();
    // A password does not answer for a second step, nor an earlier proof for a later request.
    const stricter = requestStepUp("second_step", sentAt);
    expect(getStepUp()).toBe("second_step");
    settleStepUp(false);
    vi.advanceTimersByTime(10);
    const later = requestStepUp("sign_in", now());
    expect(getStepUp()).toBe("sign_in");
    settleStepUp(false);
    expect(await Promise.all([stricter, later])).toEqual([false, false]);
  } finally {
    vi.useRealTimers();
  }
});
