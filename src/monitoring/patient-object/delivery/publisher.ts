// Queue of frames for the hospital's feed while a client watches: sends the first at once, and a burst after it as one call.

import { withDeadline } from "../../../platform/deadline.ts";
import type { ErrorReport } from "../../../platform/object-log.ts";
import type { Facts } from "../context/facts.ts";
import type { PatientFrame } from "../contract.ts";

/** The longest delay of a sample, and the shortest interval between two calls of the feed. */
const MIN_SEND_INTERVAL_MS = 400;
const RETRY_MS = 1_000;
/** Frames are sent again after it; clients apply a frame that arrives twice once. */
const SEND_DEADLINE_MS = 10_000;
/** Samples of one frame, about 50 KB of JSON. */
const MAX_FRAME_SAMPLES = 200;
/** Samples that wait while the feed is unreachable, about 2.5 MB of JSON; every other frame counts as OTHER_FRAME_WEIGHT. */
export const MAX_QUEUED_SAMPLES = 10_000;
const OTHER_FRAME_WEIGHT = 20;

export class Publisher {
  readonly #env: Env;
  readonly #facts: () => Facts | null;
  #watchedUntil: number;
  #frames: PatientFrame[] = [];
  #lastSentAt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isFailing = false;
  #isSending = false;
  /** Whether an alert waits for the call under way to end. */
  #isUrgent = false;
  readonly #report: ErrorReport;

  /** @param report called with the first of consecutive failures */
  constructor(env: Env, facts: () => Facts | null, until: number, report: ErrorReport) {
    this.#env = env;
    this.#facts = facts;
    this.#watchedUntil = until;
    this.#report = report;
  }

  setWatchedUntil(until: number): void {
    this.#watchedUntil = until;
  }

  isWatched(now: number): boolean {
    return this.#watchedUntil > now;
  }

  /** @param urgent sends at once; for alerts */
  pushFrames(frames: readonly PatientFrame[], urgent: boolean): void {
    const now = Date.now();
    if (frames.length === 0 || !this.isWatched(now)) return;
    for (const frame of frames) this.#add(frame);
    this.#dropOldest();
    this.#isUrgent ||= urgent;
    if (urgent || now - this.#lastSentAt >= MIN_SEND_INTERVAL_MS) this.#sendToFeed();
    else this.#scheduleSend(MIN_SEND_INTERVAL_MS - (now - this.#lastSentAt));
  }

  /** Merges consecutive frames of samples, and those of late samples, into one of bounded size. */
  #add(frame: PatientFrame): void {
    // Announced late samples have no order among the other frames.
    const isBackfill = frame.type === "backfill";
    const place = isBackfill ? this.#frames.findIndex(({ type }) => type === "backfill") : this.#frames.length - 1;
    const earlier = this.#frames[place];
    const merged = earlier && mergeFrames(earlier, frame);
    if (merged) this.#frames[place] = merged;
    else if (isBackfill) this.#frames.unshift(frame);
    else this.#frames.push(frame);
  }

  /** While the feed is unreachable for long: the oldest samples are announced instead of pushed, then the oldest frames dropped. */
  #dropOldest(): void {
    for (let excess = queueWeight(this.#frames) - MAX_QUEUED_SAMPLES; excess > 0; ) {
      const place = Math.max(
        0,
        this.#frames.findIndex(({ type }) => type === "samples"),
      );
      const [dropped] = this.#frames.splice(place, 1);
      if (!dropped) return;
      excess -= frameWeight(dropped);
      const announcement = toBackfill(dropped);
      if (announcement) this.#add(announcement);
    }
  }

  #scheduleSend(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#sendToFeed();
    }, ms);
  }

  /** One call at a time, so that frames keep their order and a feed that hangs holds a bounded number. */
  #sendToFeed(): void {
    const facts = this.#facts();
    const frames = this.#frames;
    if (!facts || frames.length === 0 || this.#isSending) return;
    this.#frames = [];
    this.#isUrgent = false;
    this.#isSending = true;
    this.#lastSentAt = Date.now();
    const call = async () => this.#env.WARD_FEED.getByName(facts.hospital).publish(facts.patient, frames);
    withDeadline(call(), SEND_DEADLINE_MS, "the feed")
      .then((until) => {
        this.#watchedUntil = until;
        this.#isFailing = false;
        this.#isSending = false;
        if (this.#isUrgent) this.#sendToFeed();
        else if (this.#frames.length > 0) this.#scheduleSend(MIN_SEND_INTERVAL_MS);
      })
      .catch((error: unknown) => {
        if (!this.#isFailing) this.#report("publish", error);
        this.#isFailing = true;
        this.#isSending = false;
        this.#frames = [...frames, ...this.#frames];
        this.#dropOldest();
        this.#scheduleSend(RETRY_MS);
      });
  }
}

const frameWeight = (frame: PatientFrame) => (frame.type === "samples" ? frame.samples.length : OTHER_FRAME_WEIGHT);
const queueWeight = (frames: readonly PatientFrame[]) => frames.reduce((sum, frame) => sum + frameWeight(frame), 0);

function toBackfill(frame: PatientFrame): PatientFrame | null {
  if (frame.type !== "samples") return null;
  const times = frame.samples.map(({ effective_at }) => effective_at).sort();
  const [from] = times;
  const to = times.at(-1);
  if (from === undefined || to === undefined) return null;
  return { type: "backfill", patient_id: frame.patient_id, count: times.length, from, to };
}

/** Null when the two are not of one kind, or too large together. */
function mergeFrames(last: PatientFrame, next: PatientFrame): PatientFrame | null {
  if (last.type === "samples" && next.type === "samples" && last.samples.length + next.samples.length <= MAX_FRAME_SAMPLES)
    return { ...next, samples: [...last.samples, ...next.samples] };
  if (last.type !== "backfill" || next.type !== "backfill") return null;
  const [from = next.from] = [last.from, next.from].sort();
  const [, to = next.to] = [last.to, next.to].sort();
  return { ...next, count: last.count + next.count, from, to };
}
