// `edgecare audit proof`: a valid proof of a log of one event, and what it says of each forged part.
import { spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { describe, expect, it } from "vitest";

const HOSPITAL = randomUUID();
const PATIENT = randomUUID();
const ORIGIN = `edgecare/audit/${HOSPITAL}`;
const { privateKey, publicKey } = generateKeyPairSync("ed25519");

const sha256 = (...parts: (Uint8Array | string)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Of C2SP signed-note: the key with its type, and the first bytes of a hash as its id. */
function verifierKeyOf(key: KeyObject): { id: Buffer; vkey: string } {
  const raw = Buffer.concat([Buffer.of(1), Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url")]);
  const id = sha256(`${ORIGIN}\n`, raw).subarray(0, 4);
  return { id, vkey: `${ORIGIN}+${id.toString("hex")}+${raw.toString("base64")}` };
}

const salt = Buffer.alloc(16, 7);
const leaf = JSON.stringify({
  event: "patient.read",
  recorded: Date.UTC(2026, 10, 21, 9, 30),
  subjects: [sha256(salt, PATIENT).toString("base64url")],
});
const root = sha256(Buffer.of(0), leaf);
const text = `${ORIGIN}\n1\n${root.toString("base64")}\n`;
const { id, vkey } = verifierKeyOf(publicKey);
const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString("base64");
const PROOF = {
  hospital_id: HOSPITAL,
  index: 0,
  checkpoint: `${text}\n— ${ORIGIN} ${signature}\n`,
  verifier_key: vkey,
  leaf: Buffer.from(leaf).toString("base64"),
  hashes: [] as string[],
  subject: { patient_id: PATIENT, salt: salt.toString("base64url") },
};

function proof(input: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync("node", ["cli/edgecare.ts", "audit", "proof", ...args], {
    input,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}
const check = (change: object = {}, ...args: string[]) => proof(JSON.stringify({ data: { ...PROOF, ...change } }), ...args);

describe("edgecare audit proof", () => {
  it("says which event is proved, with the key of the answer or the one that was noted", () => {
    const stdout = `patient.read of 2026-11-21T09:30:00.000Z is event 0 of 1 in ${ORIGIN}, about patient ${PATIENT}\n`;
    expect(check()).toEqual({ status: 0, stdout, stderr: "" });
    expect(check({}, "--key", vkey)).toEqual({ status: 0, stdout, stderr: "" });
  });

  it.each([
    ["another position", { index: 1 }, "not in the tree"],
    ["another leaf", { leaf: Buffer.from(leaf.replace("read", "list")).toString("base64") }, "not in the tree"],
    ["a hash too many", { hashes: [root.toString("base64")] }, "not in the tree"],
    ["another patient", { subject: { ...PROOF.subject, patient_id: randomUUID() } }, "not about the patient"],
    ["another log", { hospital_id: randomUUID() }, "the checkpoint is none of"],
    ["another size", { checkpoint: PROOF.checkpoint.replace("\n1\n", "\n2\n") }, "not signed"],
  ])("refuses %s", (_, change, message) => {
    expect(check(change)).toEqual({ status: 1, stdout: "", stderr: expect.stringContaining(message) });
  });

  it("refuses a checkpoint that the noted key has not signed", () => {
    const other = verifierKeyOf(generateKeyPairSync("ed25519").publicKey).vkey;
    expect(check({}, "--key", other)).toEqual({ status: 1, stdout: "", stderr: expect.stringContaining("not signed") });
  });

  it("refuses other input with 1 and other options with 2", () => {
    for (const input of ["", "null", '{"data":{}}']) expect(proof(input)).toMatchObject({ status: 1, stdout: "" });
    for (const args of [["--key"], ["--kee", vkey], ["--key", vkey, "more"]])
      expect(proof("{}", ...args)).toMatchObject({ status: 2, stderr: expect.stringContaining("audit proof [--key VKEY]") });
  });
});
