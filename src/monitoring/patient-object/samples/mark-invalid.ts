// Change of the status of stored samples: a block is encoded again with all other content as it is.
import type { Sample } from "../../vitals/model.ts";
import { type BatchClock, decodeBlock, encodeBatches, type StoredSample } from "./blocks.ts";

type OpenBatch = { received: number; device: string | null; clock?: BatchClock | undefined; samples: Sample[] };

/** The block with the samples at these places as invalid. Places of all samples stay. */
export function markInvalid(block: Uint8Array, places: ReadonlySet<number>): Uint8Array<ArrayBuffer> {
  const batches: OpenBatch[] = [];
  for (const sample of decodeBlock(block)) {
    const last = batches.at(-1);
    const marked: Sample = places.has(sample.index) ? { ...sample, status: "invalid" } : sample;
    if (last && isOfBatch(sample, last)) last.samples.push(marked);
    else batches.push({ received: sample.received, device: sample.device, clock: sample.clock, samples: [marked] });
  }
  return encodeBatches(batches);
}

function isOfBatch({ received, device, clock }: StoredSample, batch: OpenBatch): boolean {
  return (
    received === batch.received &&
    device === batch.device &&
    clock?.corrected === batch.clock?.corrected &&
    clock?.unconfirmed === batch.clock?.unconfirmed
  );
}
