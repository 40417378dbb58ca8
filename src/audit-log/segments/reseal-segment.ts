// Seals a segment under the current key of the ring, into another file, after the key was rotated.
import type { KeyRing } from "../../platform/crypto.ts";
import type { SegmentRef } from "../contract.ts";
import { concatBytes } from "./bytes.ts";
import { encodeHeader, openPart, sealPart } from "./file-format.ts";
import { loadSealedSegment } from "./read-segment.ts";
import { storeSegment } from "./write-segment.ts";

/** `<first seq>-<end seq>-<level>`, and the id of the key if it was sealed again. */
const NAME_PATTERN = /\/(\d+-\d+-[a-z]+)(?:-[a-z0-9]+)?$/;

/**
 * Decrypts and encrypts every part; entries, terms and hence leaves stay as they are. Safe to repeat; deletes nothing.
 * @returns the reference of the new file, whose key ends in the key's id; null if the segment is under the current key
 * @throws SegmentGoneError, ApiError integrity_error when any byte was changed
 */
export async function resealSegment(bucket: R2Bucket, ring: KeyRing, ref: SegmentRef): Promise<SegmentRef | null> {
  const { kid, index, sealedIndex, sealedBlocks } = await loadSealedSegment(bucket, ring, ref);
  if (kid === ring.currentKid) return null;
  const key = ref.key.replace(NAME_PATTERN, `/$1-${ring.currentKid}`);
  const reseal = async (part: "index" | number, sealed: Uint8Array<ArrayBuffer>) =>
    sealPart(ring, { kid: ring.currentKid, key, part }, await openPart(ring, { kid, key: ref.key, part }, sealed));
  const newIndex = await reseal("index", sealedIndex);
  const start = concatBytes([encodeHeader(ring.currentKid, newIndex.length), newIndex]);
  const parts = [start];
  for (const [part, sealed] of sealedBlocks.entries()) parts.push(await reseal(part, sealed));
  const file = { file: concatBytes(parts), indexSize: start.length };
  const { size, indexSize } = await storeSegment(bucket, ring, key, index, file);
  return { ...ref, key, size, indexSize };
}
