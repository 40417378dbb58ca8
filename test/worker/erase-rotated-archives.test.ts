// Erasure of an object during a rotation of FIELD_KEYS: its archives are in R2 under both keys for an hour, and none stays.
import { expect, it } from "vitest";
import { sealAgain } from "../../src/service/keys/seal-again.ts";
import { env } from "../world.ts";
import { filesOf, newRecords, signing } from "./rotation-world.ts";

const archivesUnder = async (keyId: string) => (await filesOf(keyId)).filter((key) => key.includes("/vitals/"));

it("deletes the archives under the new key and those that they replace", async () => {
  const { monitoredId } = await newRecords();
  const start = Date.now() + 24 * 3_600_000;
  for (let runs = 0; runs < 50 && (await archivesUnder("f2")).length === 0; runs++)
    await sealAgain(signing, start + runs * 10_000);
  expect([(await archivesUnder("f1")).length, (await archivesUnder("f2")).length]).toEqual([1, 1]);
  const monitor = env.PATIENT_MONITOR.getByName(monitoredId);
  expect((await monitor.countStored()).files).toBe(2);
  await monitor.erase();
  expect([await archivesUnder("f1"), await archivesUnder("f2")]).toEqual([[], []]);
});
