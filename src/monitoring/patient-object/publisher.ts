// Frames on their way to the hospital's feed, while somebody watches: the first at once, a burst after it together.

import type { Facts } from "./context/facts.ts";
import type { PatientFrame } from "./contract.ts";

/** A watcher sees a sample this much later at most, and the feed is called no more often. */
const TOGETHER_MS = 400;
const RETRY_MS = 1_000;
const MOST_FRAMES = 2_000;

export class Publisher {
  readonly #env: Env;
  readonly #facts: () => Facts | null;
  #until: number;
  #frames: PatientFrame[] = [];
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(env: Env, facts: () => Facts | null, until: number) {
    this.#env = env;
    this.#facts = facts;
    this.#until = until;
  }

  watched(until: number): void {
    this.#until = until;
  }

  isWatched(now: number): boolean {
    return this.#until > now;
  }

  /** @param urgent alerts do not wait for their turn */
  queue(frames: readonly PatientFrame[], urgent: boolean): void {
    const now = Date.now();
    if (frames.length === 0 || !this.isWatched(now)) return;
    for (const frame of frames) this.#add(frame);
    if (urgent || now - this.#last >= TOGETHER_MS) this.#flush();
    else this.#later(TOGETHER_MS - (now - this.#last));
  }

  /** Samples of one burst are one frame. */
  #add(frame: PatientFrame): void {
    const last = this.#frames.at(-1);
    if (last?.type === "samples" && frame.type === "samples") {
      this.#frames[this.#frames.length - 1] = { ...frame, samples: [...last.samples, ...frame.samples] };
    } else this.#frames.push(frame);
    // A feed that cannot be reached for long: its watchers get a snapshot when it is back.
    if (this.#frames.length > MOST_FRAMES) this.#frames.shift();
  }

  #later(ms: number): void {
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
    this.#last = Date.now();
    this.#env.WARD_FEED.getByName(facts.hospital)
      .publish(facts.patient, frames)
      .then((until) => {
        this.#until = until;
      })
      .catch(() => {
        this.#frames = [...frames, ...this.#frames];
        this.#later(RETRY_MS);
      });
  }
}
