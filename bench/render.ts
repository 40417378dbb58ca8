// What a document of ten pages costs in the render Worker, on workerd itself: CPU time and memory of its isolate.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Miniflare } from "miniflare";
import { buildRender, RENDER_ASSETS, RENDER_BUNDLE } from "../scripts/build-render.mjs";
import { longModel } from "../test/document-models.ts";
import { childProcesses, measureHeap, median, threadMs } from "./cpu/profile.ts";

const NAME = "edgecare-render";
const RUNS = 9;
/** Passes a request on as a call, as the API does. */
const CALLER = `export default { async fetch(request, env) {
  const { model, format } = await request.json();
  const { bytes, pages } = await env.RENDER.render(model, format);
  return Response.json({ size: bytes.length, pages });
} }`;

const toManifest = (contents: string) => ({
  mainModule: "index.js",
  modulesRoot: resolve("dist"),
  modules: { "index.js": { type: "esm" as const, contents } },
});

export type RenderFigures = {
  pages: number;
  bytes: number /** Median of warm runs. */;
  cpuMs: number;
  firstCpuMs: number;
  heapBytes: number;
};

export async function measureRender(): Promise<RenderFigures> {
  buildRender();
  const others = new Set(childProcesses());
  const server = new Miniflare({
    inspectorPort: 0,
    workers: [
      {
        config: {
          name: "caller",
          compatibilityDate: "2026-10-01",
          manifest: toManifest(CALLER),
          env: { RENDER: { type: "worker", worker: NAME, exportName: "RenderService" } },
        },
      },
      {
        config: {
          name: NAME,
          compatibilityDate: "2026-10-01",
          compatibilityFlags: ["nodejs_compat"],
          manifest: toManifest(readFileSync(RENDER_BUNDLE, "utf8")),
          assets: { directory: resolve(RENDER_ASSETS), hasUserWorker: true, runWorkerFirst: true },
          env: { ASSETS: { type: "assets" } },
        },
      },
    ],
  });
  try {
    const url = await server.ready;
    const inspector = await server.getInspectorURL();
    const body = JSON.stringify({ model: longModel(), format: "pdf" });
    let size = 0;
    let pages = 0;
    const render = async () => {
      const response = await fetch(url, { method: "POST", body, signal: AbortSignal.timeout(30_000) });
      ({ size, pages } = (await response.json()) as { size: number; pages: number });
    };
    const pid = childProcesses().find((child) => !others.has(child));
    if (pid === undefined) throw new Error("no process of workerd");
    const measure = async () => {
      const before = threadMs(pid);
      await render();
      return threadMs(pid) - before;
    };
    const firstCpuMs = await measure();
    const times = [];
    for (let run = 0; run < RUNS; run++) times.push(await measure());
    // An isolate answers its inspector only while it has work.
    let heapBytes: number | null = null;
    const measuring = measureHeap(inspector, NAME).then((bytes) => {
      heapBytes = bytes;
    });
    for (let tries = 0; heapBytes === null && tries < 50; tries++) await render();
    await Promise.race([measuring, new Promise((resolve) => setTimeout(resolve, 1_000))]);
    return { pages, bytes: size, cpuMs: median(times), firstCpuMs, heapBytes: heapBytes ?? Number.NaN };
  } finally {
    await server.dispose();
  }
}

if (import.meta.main) {
  const { pages, bytes, cpuMs, firstCpuMs, heapBytes } = await measureRender();
  const figures = [`${pages} pages`, `${bytes} bytes`, `CPU ${Math.round(cpuMs)} ms (first ${Math.round(firstCpuMs)} ms)`];
  console.log([...figures, `heap ${(heapBytes / 1e6).toFixed(1)} MB`].join(", "));
}
