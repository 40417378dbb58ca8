// Who comes while a wave is let in waits for the next: after a restart a whole hospital comes back at once.
import type { Handshake } from "./clients.ts";

export type Admission = { socket: WebSocket } | { refused: 401 | 404 | 429 };
type Waiting = { handshake: Handshake; answer: (admission: Admission) => void; fail: (error: unknown) => void };

export class Admissions {
  readonly #admit: (wave: readonly Handshake[]) => Promise<Admission[]>;
  #waiting: Waiting[] = [];
  #isRunning = false;

  /** @param admit answers in the order of the wave */
  constructor(admit: (wave: readonly Handshake[]) => Promise<Admission[]>) {
    this.#admit = admit;
  }

  get isBusy(): boolean {
    return this.#isRunning;
  }

  async enter(handshake: Handshake): Promise<Response> {
    const admission = await new Promise<Admission>((answer, fail) => {
      this.#waiting.push({ handshake, answer, fail });
      if (!this.#isRunning) void this.#run();
    });
    if ("refused" in admission) return new Response(null, { status: admission.refused });
    return new Response(null, { status: 101, webSocket: admission.socket });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let wave = this.#waiting; wave.length > 0; wave = this.#waiting) {
      this.#waiting = [];
      try {
        const admissions = await this.#admit(wave.map(({ handshake }) => handshake));
        for (const [i, { answer, fail }] of wave.entries()) {
          const admission = admissions[i];
          if (admission) answer(admission);
          else fail(new Error("nobody decided"));
        }
      } catch (error) {
        for (const { fail } of wave) fail(error);
      }
    }
    this.#isRunning = false;
  }
}
