// Frames on their way to the hospital's feed, while somebody watches: the first at once, a burst after it together.

import type { Facts } from "../context/facts.ts";
import type { PatientFrame } from "../contract.ts";

/** A watcher sees a sample this much later at most, and the feed is called no more often. */
const MIN_FLUSH_INTERVAL_MS = 400;
const RETRY_MS = 1_000;
const MAX_QUEUED_FRAMES = 2_000;

export class Publisher {
  readonly #env: Env;
  readonly #facts: () => Facts | null;
  #watchedUntil: number;
  #frames: PatientFrame[] = [];
  #lastFlushAt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(env: Env, facts: () => Facts | null, until: number) {
    this.#env = env;
    this.#facts = facts;
    this.#watchedUntil = until;
  }

  setWatchedUntil(until: number): void {
    this.#watchedUntil = until;
  }

  isWatched(now: number): boolean {
    return this.#watchedUntil > now;
  }

  /** @param urgent alerts do not wait for their turn */
  enqueue(frames: readonly PatientFrame[], urgent: boolean): void {
    const now = Date.now();
    if (frames.length === 0 || !this.isWatched(now)) return;
    for (const frame of frames) this.#add(frame);
    if (urgent || now - this.#lastFlushAt >= MIN_FLUSH_INTERVAL_MS) this.#flush();
    else this.#scheduleFlush(MIN_FLUSH_INTERVAL_MS - (now - this.#lastFlushAt));
  }

  /** Samples of one burst are one frame. */
  #add(frame: PatientFrame): void {
    const last = this.#frames.at(-1);
    if (last?.type === "samples" && frame.type === "samples") {
      this.#frames[this.#frames.length - 1] = { ...frame, samples: [...last.samples, ...frame.samples] };
    } else this.#frames.push(frame);
    // A feed that cannot be reached for long: its watchers get a snapshot when it is back.
    if (this.#frames.length > MAX_QUEUED_FRAMES) this.#frames.shift();
  }

  #scheduleFlush(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, ms);
  }

  #flush(): void {
    const facts = this.#facts();
    const frames = this.#frames;
    if (!facts || frames.length === 0) return;
    this.#frames = [];
    this.#lastFlushAt = Date.now();
    this.#env.WARD_FEED.getByName(facts.hospital)
      .publish(facts.patient, frames)
      .then((until) => {
        this.#watchedUntil = until;
      })
      .catch(() => {
        this.#frames = [...frames, ...this.#frames];
        this.#scheduleFlush(RETRY_MS);
      });
  }
}
