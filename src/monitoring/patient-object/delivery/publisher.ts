// Queue of frames for the hospital's feed while a client watches: sends the first at once, and a burst after it as one call.

import type { ErrorReport } from "../../../platform/object-log.ts";
import type { Facts } from "../context/facts.ts";
import type { PatientFrame } from "../contract.ts";

/** The longest delay of a sample, and the shortest interval between two calls of the feed. */
const MIN_SEND_INTERVAL_MS = 400;
const RETRY_MS = 1_000;
const MAX_QUEUED_FRAMES = 2_000;
/** Samples of one frame, about 50 KB of JSON. */
const MAX_FRAME_SAMPLES = 200;

export class Publisher {
  readonly #env: Env;
  readonly #facts: () => Facts | null;
  #watchedUntil: number;
  #frames: PatientFrame[] = [];
  #lastSentAt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isFailing = false;
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
    // The feed has been unreachable for long: clients get a snapshot when it is back.
    if (this.#frames.length > MAX_QUEUED_FRAMES) this.#frames.shift();
  }

  #scheduleSend(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#sendToFeed();
    }, ms);
  }

  #sendToFeed(): void {
    const facts = this.#facts();
    const frames = this.#frames;
    if (!facts || frames.length === 0) return;
    this.#frames = [];
    this.#lastSentAt = Date.now();
    this.#env.WARD_FEED.getByName(facts.hospital)
      .publish(facts.patient, frames)
      .then((until) => {
        this.#watchedUntil = until;
        this.#isFailing = false;
      })
      .catch((error: unknown) => {
        if (!this.#isFailing) this.#report("publish", error);
        this.#isFailing = true;
        this.#frames = [...frames, ...this.#frames];
        this.#scheduleSend(RETRY_MS);
      });
  }
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
