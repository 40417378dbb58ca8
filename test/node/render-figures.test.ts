// What a document of ten pages costs in the render Worker, in workerd: the limits of its design.
import { expect, it } from "vitest";
import { measureRender } from "../../bench/render.ts";

it("renders ten pages in less than a second of CPU, and keeps less than 32 MB", async () => {
  const { pages, cpuMs, firstCpuMs, heapBytes } = await measureRender();
  expect(pages).toBeGreaterThanOrEqual(10);
  expect(firstCpuMs).toBeLessThan(1_000);
  expect(cpuMs).toBeGreaterThan(1);
  expect(cpuMs).toBeLessThan(1_000);
  expect(heapBytes).toBeLessThan(32_000_000);
});
