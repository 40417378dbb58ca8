// CPU time of a Worker's own isolates: profiles over workerd's inspector (Chrome DevTools Protocol) and kernel counters.
import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";

/** Sampling interval in microseconds. */
const INTERVAL_US = 400;

const Targets = z.array(z.object({ id: z.string(), webSocketDebuggerUrl: z.string().optional() }));
const Profile = z.object({
  profile: z.object({
    nodes: z.array(
      z.object({
        id: z.number(),
        callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
        children: z.array(z.number()).optional(),
      }),
    ),
    samples: z.array(z.number()),
  }),
});
const Answer = z.object({ id: z.number(), result: z.unknown(), error: z.unknown() }).partial();

/** CPU time of one measurement in milliseconds: total, and per function (`name url:line`). */
export type CpuTime = { ms: number; functions: Map<string, number> };

class Session {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: z.infer<typeof Answer>) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer = Answer.parse(JSON.parse(String(data)));
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  static async open(url: string): Promise<Session> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    return new Session(socket);
  }

  async send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last;
    const answer = await new Promise<z.infer<typeof Answer>>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    this.#waiting.delete(id);
    if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
    return answer.result;
  }

  close(): void {
    this.#socket.close();
  }
}

/** Isolates of a workerd process: the Worker's own including its Durable Objects, and the emulators of its bindings. */
export class Profiler {
  readonly #pid: number;
  readonly #own: Session[];
  readonly #others: Session[];

  private constructor(pid: number, own: Session[], others: Session[]) {
    this.#pid = pid;
    this.#own = own;
    this.#others = others;
  }

  static async attach(pid: number, inspector: URL, worker: string): Promise<Profiler> {
    const response = await fetch(`http://${inspector.host}/json`);
    const targets = Targets.parse(await response.json());
    const isOwn = ({ id }: { id: string }) => id === `core:user:${worker}`;
    const open = ({ id }: { id: string }) => Session.open(`ws://${inspector.host}/${id}`);
    const own = await Promise.all(targets.filter(isOwn).map(open));
    if (own.length === 0) throw new Error(`no isolate of ${worker}`);
    const others = await Promise.all(targets.filter((target) => !isOwn(target)).map(open));
    for (const session of [...own, ...others]) {
      await session.send("Profiler.enable");
      await session.send("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    }
    return new Profiler(pid, own, others);
  }

  /**
   * All isolates run on the process's first thread. The Worker's CPU time is that thread's CPU time, as the kernel counts it
   * whatever else the machine does, times the share of the samples in the Worker's own isolates.
   */
  async measure(work: () => Promise<void>): Promise<CpuTime> {
    const all = [...this.#own, ...this.#others];
    await Promise.all(all.map((session) => session.send("Profiler.start")));
    const before = threadMs(this.#pid);
    await work();
    const ms = threadMs(this.#pid) - before;
    const profiles = await Promise.all(all.map(async (session) => samplesOf(await session.send("Profiler.stop"))));
    const total = profiles.flatMap((samples) => [...samples.values()]).reduce((sum, n) => sum + n, 0);
    const functions = new Map<string, number>();
    for (const samples of profiles.slice(0, this.#own.length)) {
      for (const [name, n] of samples) functions.set(name, (functions.get(name) ?? 0) + (n / total) * ms);
    }
    return { ms: [...functions.values()].reduce((sum, own) => sum + own, 0), functions };
  }

  close(): void {
    for (const session of [...this.#own, ...this.#others]) session.close();
  }
}

const HeapUsage = z.object({ usedSize: z.number() });

/** Used heap of a Worker's own isolates in bytes, its Durable Objects' included, after a garbage collection. */
export async function measureHeap(inspector: URL, worker: string): Promise<number> {
  const targets = Targets.parse(await (await fetch(`http://${inspector.host}/json`)).json());
  let bytes = 0;
  for (const { id } of targets.filter((target) => target.id === `core:user:${worker}`)) {
    const session = await Session.open(`ws://${inspector.host}/${id}`);
    await session.send("HeapProfiler.collectGarbage");
    bytes += HeapUsage.parse(await session.send("Runtime.getHeapUsage")).usedSize;
    session.close();
  }
  return bytes;
}

/** CPU time of a process's first thread, in milliseconds. */
export function threadMs(pid: number): number {
  const [ns = "0"] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
  return Number(ns) / 1e6;
}

/** Number of samples per function. V8 takes no samples of an isolate that does not run. */
function samplesOf(stopped: unknown): Map<string, number> {
  const { nodes, samples } = Profile.parse(stopped).profile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const counts = new Map<string, number>();
  for (const id of samples) {
    const frame = frames.get(id);
    if (!frame || frame.functionName === "(idle)") continue;
    const name = `${frame.functionName || "(anonymous)"} ${frame.url}:${frame.lineNumber + 1}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Child processes of this one. */
export function childProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === process.pid)
    .map(Number);
}

function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]);
  } catch {
    // The process has ended in the meantime.
    return null;
  }
}

export function sum(times: readonly CpuTime[]): CpuTime {
  const functions = new Map<string, number>();
  for (const time of times) for (const [name, ms] of time.functions) functions.set(name, (functions.get(name) ?? 0) + ms);
  return { ms: times.reduce((total, { ms }) => total + ms, 0), functions };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
