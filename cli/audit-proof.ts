// `edgecare audit proof`: checks the inclusion proof of one event, as the service returns it, without trusting the service.
import { text } from "node:stream/consumers";
import { z } from "zod";
import { fromBase64, sha256, toBase64Url } from "../verifier/bytes.ts";
import { isSigned, originOf, parseCheckpoint } from "../verifier/note.ts";
import { verifyInclusion } from "../verifier/tree.ts";

export const PROOF_USAGE = `  audit proof [--key VKEY]
         check the answer of GET /audit-events/{id}/proof on standard input: that the event is in the log whose checkpoint is
         signed, and that it is about the patient
         --key   the verifier key of the log, as you noted it earlier; without it the key in the answer is used`;

const [OK, PROBLEM, USAGE] = [0, 1, 2];
const MAX_INPUT = 1024 * 1024;

const Answer = z.object({
  data: z.object({
    hospital_id: z.string().nullable(),
    index: z.int().min(0),
    checkpoint: z.string(),
    verifier_key: z.string(),
    leaf: z.string(),
    hashes: z.array(z.string()),
    subject: z.object({ patient_id: z.string(), salt: z.string() }).nullable(),
  }),
});
type Proof = z.output<typeof Answer>["data"];

const Leaf = z.object({ event: z.string(), recorded: z.int(), subjects: z.array(z.string()) });

/** What the proof shows. @throws Error with what is wrong */
async function check(proof: Proof, verifierKey: string): Promise<string> {
  const logId = proof.hospital_id ?? "none";
  const checkpoint = parseCheckpoint(logId, proof.checkpoint);
  if (!checkpoint) throw new Error(`the checkpoint is none of ${originOf(logId)}`);
  if (!(await isSigned(proof.checkpoint, [verifierKey]))) throw new Error("the checkpoint is not signed with the verifier key");
  const leaf = fromBase64(proof.leaf) ?? new Uint8Array();
  const hashes = proof.hashes.map((hash) => fromBase64(hash) ?? new Uint8Array());
  const leafHash = sha256(Uint8Array.of(0), leaf);
  if (!verifyInclusion(proof.index, checkpoint.size, leafHash, hashes, checkpoint.root))
    throw new Error("the event is not in the tree of the checkpoint");
  const { event, recorded, subjects } = Leaf.parse(JSON.parse(new TextDecoder().decode(leaf)));
  if (proof.subject && !isSubject(proof.subject, subjects)) throw new Error("the event is not about the patient");
  const about = proof.subject ? `, about patient ${proof.subject.patient_id}` : "";
  return `${event} of ${new Date(recorded).toISOString()} is event ${proof.index} of ${checkpoint.size} in ${originOf(logId)}${about}`;
}

function isSubject({ patient_id, salt }: NonNullable<Proof["subject"]>, subjects: readonly string[]): boolean {
  const bytes = fromBase64(salt, "base64url");
  return bytes !== null && subjects.includes(toBase64Url(sha256(bytes, patient_id)));
}

/** @returns the exit code: 0 for a valid proof, 1 for another one, 2 for wrong use */
export async function runAuditProof(args: string[]): Promise<number> {
  const [option, key, ...more] = args;
  if (more.length > 0 || (option !== undefined && (option !== "--key" || key === undefined))) {
    console.error(`usage: edgecare audit proof …\n\n${PROOF_USAGE}`);
    return USAGE;
  }
  const input = (await text(process.stdin)).slice(0, MAX_INPUT);
  try {
    const { data } = Answer.parse(JSON.parse(input));
    console.log((await check(data, key ?? data.verifier_key)).replaceAll(/\p{Cc}/gu, "?"));
    return OK;
  } catch (error) {
    const isShape = error instanceof SyntaxError || error instanceof z.ZodError;
    console.error(
      isShape
        ? "Standard input is no proof of an audit event."
        : `Not proved: ${error instanceof Error ? error.message : error}.`,
    );
    return PROBLEM;
  }
}
