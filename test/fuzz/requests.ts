// A plan with the ids of the running product: the request as it is sent, and the curl command that repeats it.
import type { Plan } from "./plans.ts";
import type { Pool, Sender } from "./pool.ts";

export type WireRequest = {
  method: string;
  /** Path and query as they are on the wire. */
  target: string;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer> | null;
};

const encoder = new TextEncoder();
export const toBytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(encoder.encode(text));
/** Longer texts are cut in the curl command. */
const MAX_SHOWN = 1_500;

/** A small PDF that no other request has. */
export function createPdf(text: string): Uint8Array<ArrayBuffer> {
  const head = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj";
  return toBytes(`${head}\n% ${text}\ntrailer<</Root 1 0 R>>\n%%EOF\n`);
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Lone surrogates cannot be percent-encoded. */
const encode = (text: string) => encodeURIComponent(text.toWellFormed());
/** Header values are visible ASCII; anything else would not leave the client. */
const headerValue = (text: string) => (/^[\x20-\x7e]*$/.test(text) ? text.trim() : encode(text));

type EncodedBody = { bytes: Uint8Array<ArrayBuffer> | null; contentType: string | null };

async function encodeBody({ body, contentType }: Plan, fill: (text: string) => string): Promise<EncodedBody> {
  switch (body.kind) {
    case "none":
      return { bytes: null, contentType };
    case "raw":
      return { bytes: toBytes(body.text), contentType };
    case "json":
      return { bytes: toBytes(fill(JSON.stringify(body.value))), contentType };
    case "pdf":
      return { bytes: createPdf(fill("«text» «unique»")), contentType };
    case "urlencoded": {
      const text = body.fields.map(([name, value]) => `${encode(name)}=${encode(fill(value))}`).join("&");
      return { bytes: toBytes(text), contentType };
    }
    case "multipart": {
      const form = new FormData();
      for (const [name, value] of body.fields) form.append(name, fill(value).toWellFormed());
      for (let i = 0; i < body.files; i++) {
        const pdf = createPdf(fill("«text» «unique»"));
        form.append("file", new File([pdf], fill("ecg «text».pdf"), { type: "application/pdf" }));
      }
      const encoded = new Response(form);
      const withBoundary = encoded.headers.get("content-type");
      const type = contentType === "multipart/form-data" ? withBoundary : contentType;
      return { bytes: new Uint8Array(await encoded.arrayBuffer()), contentType: type };
    }
  }
}

/** @param token added unless the plan has its own Authorization header */
export async function buildRequest(plan: Plan, pool: Pool, sender: Sender, token: string | null): Promise<WireRequest> {
  const fill = (text: string, path?: string) => pool.resolve(text, sender, path);
  const link = plan.query.find(([name]) => name === "link")?.[1];
  const linkToken = link === undefined ? undefined : fill(link);
  const linkedReport = linkToken === undefined ? undefined : pool.reportOfLink(linkToken);
  const path = plan.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const segment = plan.segments[name];
    if (!segment) return "";
    // A link is valid for one report.
    if (name === "report_id" && linkedReport !== undefined && !segment.raw && segment.text.startsWith("«own"))
      return linkedReport;
    return segment.raw ? segment.text : encode(fill(segment.text));
  });
  const query = plan.query.map(([name, value]) => `${encode(name)}=${encode(name === "link" ? (linkToken ?? "") : fill(value))}`);
  const sendsBody = plan.method !== "GET" && plan.method !== "HEAD";
  const { bytes, contentType } = sendsBody ? await encodeBody(plan, fill) : { bytes: null, contentType: null };
  const digest = bytes && plan.headers.some(([, value]) => value === "«digest»") ? await sha256(bytes) : "";
  const headers: [string, string][] = plan.headers.map(([name, value]) => [
    name,
    headerValue(value === "«digest»" ? digest : fill(value, path)),
  ]);
  if (token !== null && !headers.some(([name]) => name === "Authorization")) headers.push(["Authorization", `Bearer ${token}`]);
  if (contentType !== null) headers.push(["Content-Type", contentType]);
  if (bytes) headers.push(["Content-Length", String(bytes.length)]);
  return { method: plan.method, target: query.length > 0 ? `${path}?${query.join("&")}` : path, headers, body: bytes };
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The token is a variable: it is valid only while the world of the run exists. */
export function toCurl({ method, target, headers, body }: WireRequest, token: string | null): string {
  const parts = [`curl -i --path-as-is -X ${method} ${quote(`http://localhost:8787${target}`)}`];
  for (const [name, value] of headers) {
    if (name === "Content-Length") continue;
    parts.push(value === `Bearer ${token}` ? `-H "Authorization: Bearer $TOKEN"` : `-H ${quote(`${name}: ${value}`)}`);
  }
  if (body) {
    const text = new TextDecoder().decode(body);
    parts.push(
      `--data-binary ${quote(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…(${text.length} characters)` : text)}`,
    );
  }
  return parts.join(" ");
}
