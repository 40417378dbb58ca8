// Memory of a page after garbage collection.
import type { Page } from "@playwright/test";

export type MemoryUsage = { heap: number; outside: number; nodes: number; listeners: number };

/** `heap`: bytes of script objects; `outside`: bytes that they hold outside the heap, such as files. */
export async function measureMemory(page: Page): Promise<MemoryUsage> {
  const tools = await page.context().newCDPSession(page);
  await tools.send("HeapProfiler.enable");
  for (let i = 0; i < 3; i++) await tools.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize } = await tools.send("Runtime.getHeapUsage");
  const { nodes, jsEventListeners } = await tools.send("Memory.getDOMCounters");
  await tools.detach();
  return { heap: usedSize, outside: backingStorageSize, nodes, listeners: jsEventListeners };
}

export const measureHeap = async (page: Page): Promise<number> => (await measureMemory(page)).heap;
