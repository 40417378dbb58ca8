// Batched admission of sockets: requests during a batch wait for the next one, since after a restart a whole hospital reconnects.
import type { Handshake } from "./clients.ts";

export type Admission = { socket: WebSocket } | { refused: 401 | 404 | 429 | 503 };
type PendingAdmission = { handshake: Handshake; resolve: (admission: Admission) => void; reject: (error: unknown) => void };

export class Admissions {
  readonly #admit: (batch: readonly Handshake[]) => Promise<Admission[]>;
  #waiting: PendingAdmission[] = [];
  #isRunning = false;

  /** @param admit returns results in the order of the batch */
  constructor(admit: (batch: readonly Handshake[]) => Promise<Admission[]>) {
    this.#admit = admit;
  }

  get isBusy(): boolean {
    return this.#isRunning;
  }

  async requestAdmission(handshake: Handshake): Promise<Response> {
    const admission = await new Promise<Admission>((resolve, reject) => {
      this.#waiting.push({ handshake, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
    if ("refused" in admission) return new Response(null, { status: admission.refused });
    return new Response(null, { status: 101, webSocket: admission.socket });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let batch = this.#waiting; batch.length > 0; batch = this.#waiting) {
      this.#waiting = [];
      try {
        const admissions = await this.#admit(batch.map(({ handshake }) => handshake));
        for (const [i, { resolve, reject }] of batch.entries()) {
          const admission = admissions[i];
          if (admission) resolve(admission);
          else reject(new Error("no admission result"));
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isRunning = false;
  }
}
