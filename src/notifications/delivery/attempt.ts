// One attempt at a delivery, with a deadline that holds even if the channel does not keep it.
import { describeCause } from "../../platform/errors.ts";
import type { Channel, ChannelCall, Delivery, Outcome } from "../channel.ts";

/** `work`: ends when the channel does, which after a timeout may still store what it noted. */
export type Attempt = { outcome: Outcome; isTimedOut: boolean; work: Promise<unknown> };

/** @param deadlineMs after which the outcome is `unknown`  @returns `failed` for an error that the channel throws */
export async function attempt(
  send: Channel["send"],
  call: Omit<ChannelCall, "signal">,
  delivery: Delivery,
  deadlineMs: number,
): Promise<Attempt> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => {
      resolve({ result: "unknown", answer: { status: null, text: `no answer within ${deadlineMs} ms` } });
      controller.abort();
    }, deadlineMs);
  });
  const work = (async () => send({ ...call, signal: controller.signal }, delivery))();
  try {
    const outcome = await Promise.race([work, timeout]);
    return { outcome, isTimedOut: controller.signal.aborted, work };
  } catch (error) {
    const text = describeCause(error) ?? null;
    return { outcome: { result: "failed", answer: { status: null, text } }, isTimedOut: false, work: Promise.resolve() };
  } finally {
    clearTimeout(timer);
  }
}
