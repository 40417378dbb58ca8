// Faults in documents.
import { markInError, newDocument, newText, uploadDocument, uploadVersion } from "../document-files.ts";
import { API, env, sendRequest, sha256 } from "../world.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

const newOne = () => newDocument(world.nurse, world.patient.id);
/** Longer than a segment of a sealed file. */
const newLongText = () => newText(`${crypto.randomUUID()} ${"x".repeat(70_000)}`);

/** A read of a document that is made once. */
function readOne(name: string, path: string, method = "GET"): FaultCase {
  let id: string | undefined;
  return {
    name,
    status: 200,
    retry: "any",
    async attempt() {
      id ??= await newOne();
      return { send: (faulty) => sendRequest(`${API}/documents/${id}${path}`, { as: world.doctor, method, env: faulty }) };
    },
  };
}

export const documents: FaultCase[] = [
  readCase("GET /documents", () => `${API}/documents`),
  readOne("GET /documents/{id}", ""),
  readOne("GET /documents/{id}/file", "/file"),
  readOne("POST /documents/{id}/link", "/link", "POST"),
  {
    name: "POST /documents",
    status: 201,
    retry: "once",
    async attempt() {
      const [file, options] = [newLongText(), withNewKey()];
      const stored = env.DB.prepare("SELECT count(*) AS n FROM documents WHERE sha256 = ?").bind(await sha256(file));
      return {
        send: (faulty) => uploadDocument(world.nurse, file, { patient_id: world.patient.id }, { ...options, env: faulty }),
        effects: () => queryCount(stored),
      };
    },
  },
  {
    name: "POST /documents/{id}/versions",
    status: 201,
    retry: "once",
    async attempt() {
      const [id, file, options] = [await newOne(), newLongText(), withNewKey()];
      const stored = env.DB.prepare("SELECT count(*) - 1 AS n FROM documents WHERE series_id = ?").bind(id);
      return {
        send: (faulty) => uploadVersion(world.nurse, id, file, '"1"', {}, { ...options, env: faulty }),
        effects: () => queryCount(stored),
      };
    },
  },
  {
    name: "DELETE /documents/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const id = await newOne();
      const marked = env.DB.prepare("SELECT count(*) AS n FROM documents WHERE id = ? AND status = 'entered-in-error'").bind(id);
      return { send: (faulty) => markInError(world.nurse, id, '"1"', "a test", faulty), effects: () => queryCount(marked) };
    },
  },
];
