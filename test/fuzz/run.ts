// The run: draws operation, principal and request from a seed, sends it, and checks the answer.
import fc from "fast-check";
import { createContract, type Fault, parseJson } from "./contract.ts";
import { type ApiDocument, createFinder, type Json, type Operation } from "./document.ts";
import { createDraw, type Draw } from "./draws.ts";
import { findKnown } from "./known-faults.ts";
import { createPlanner, type Plan } from "./plans.ts";
import { buildRequest, toCurl, type WireRequest } from "./requests.ts";
import type { FuzzWorld, Principal, Send, Timed } from "./world.ts";

export type FuzzOptions = {
  document: ApiDocument;
  send: Send;
  world: FuzzWorld;
  seed: number;
  requests: number;
  /** Operation ids; the other requests of the same run are not sent. All without it. */
  only?: string[];
  /** Requests in flight. */
  lanes: number;
  /** Whether `send` sends paths unchanged. */
  isRaw: boolean;
  /** An answer that takes longer is a fault, except of a route that computes a password hash. */
  slowMs: number;
  /** Attempts to find a smaller request with the same fault. */
  shrinks: number;
  onPlan?: (index: number, operation: Operation, principal: Principal, plan: Plan) => void;
  onProgress?: (sent: number) => void;
};
export type FoundFault = {
  operationId: string;
  kind: string;
  count: number;
  principal: string;
  index: number;
  /** Changes of the generated request, and of the smallest one that has the fault too. */
  changes: string[];
  detail: string;
  curl: string;
};
export type FuzzReport = {
  sent: number;
  statuses: Record<string, number>;
  rateLimited: number;
  overQuota: number;
  /** Answers with 2xx per operation id, for every operation that was sent. */
  succeeded: Map<string, { sent: number; succeeded: number }>;
  validSent: number;
  validSucceeded: number;
  /** Why the other valid requests failed: how many per status and code. */
  validFailed: Record<string, number>;
  principals: Record<string, number>;
  slowest: { ms: number; operationId: string };
  /** Slow answers that were fast when repeated: they waited for another request. */
  waited: number;
  renewals: number;
  /** Principals that another request has ended for good. */
  failedRenewals: string[];
  faults: FoundFault[];
  known: Record<string, number>;
};

/** Computes a password hash, which takes a fifth of a second and waits for others. */
const HASHES = /^\/api\/token$|\/auth\/(login|register|bootstrap|invitations\/accept|password)|\/users$/;
/** A trailing slash is accepted by reads and creations, and is what a dot segment leaves of the path. */
const CHANGES = new Set(["PUT", "PATCH", "DELETE"]);
const isSlow = (kind: string) => kind === "slow" || kind === "no answer";
/** Each attempt to shrink a request without an answer takes as long as the client waits. */
const SLOW_SHRINKS = 3;
/** Long waits are a quota, not a limit per minute. */
const MAX_REST_MS = 65_000;

export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { document, send, world, requests, lanes, isRaw, slowMs, shrinks } = options;
  const contract = createContract(document);
  const find = createFinder(contract.operations);
  const plan = createPlanner(document, isRaw);
  const draw = createDraw(options.seed, contract.operations, world.groups);
  const report: FuzzReport = {
    sent: 0,
    statuses: {},
    rateLimited: 0,
    overQuota: 0,
    succeeded: new Map(),
    validSent: 0,
    validSucceeded: 0,
    validFailed: {},
    principals: {},
    slowest: { ms: 0, operationId: "" },
    waited: 0,
    renewals: 0,
    failedRenewals: [],
    faults: [],
    known: {},
  };
  const renewing = new Map<Principal, Promise<void>>();

  async function choosePrincipal({ group, member }: Draw): Promise<Principal> {
    const members = world.groups.get(group) ?? [];
    const inOrder = members.map((_, i) => members[(member + i) % members.length]).filter((one) => one !== undefined);
    const rested = inOrder.find(({ restsUntil }) => restsUntil <= Date.now());
    const principal = rested ?? inOrder.toSorted((a, b) => a.restsUntil - b.restsUntil)[0];
    if (!principal) throw new Error(`nobody in ${group}`);
    const wait = principal.restsUntil - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await renewing.get(principal);
    return principal;
  }

  async function renew(principal: Principal): Promise<void> {
    const current = renewing.get(principal);
    if (current) return current;
    const next = (principal.renew?.() ?? Promise.resolve())
      .catch(async () => {
        await world.reopen();
        await principal.renew?.();
      })
      .catch((error) => {
        report.failedRenewals.push(String(error));
      })
      .finally(() => renewing.delete(principal));
    renewing.set(principal, next);
    report.renewals++;
    return next;
  }

  type Outcome = { request: WireRequest; answer: Timed; faults: Fault[] };

  async function execute(one: Plan, principal: Principal): Promise<Outcome> {
    const request = await buildRequest(one, world.pool, principal, principal.token);
    const answer = await send(request).catch((error): Timed => ({ status: 0, headers: {}, text: String(error), ms: 0 }));
    if (answer === null) return { request, answer: { status: 0, headers: {}, text: "", ms: 0 }, faults: [] };
    if (answer.status === 0) return { request, answer, faults: [{ kind: "no answer", detail: answer.text }] };
    const [path = ""] = request.target.split("?");
    const reached =
      find(decodePath(path)).find(({ method }) => method === (request.method === "HEAD" ? "GET" : request.method)) ?? null;
    const faults = contract.checkAnswer(request.method, reached, answer);
    const body = parseJson(answer.text);
    if (answer.status < 300) {
      world.pool.harvest(principal.scope, body);
      grant(world, reached, principal, path, body);
    }
    for (const mark of [...world.marks.values()].flat()) {
      if (principal.sees.has(mark) || !answer.text.includes(mark)) continue;
      const at = answer.text.indexOf(mark);
      faults.push({ kind: "a marker that the sender may not see", detail: answer.text.slice(Math.max(0, at - 200), at + 60) });
    }
    if (answer.ms > slowMs && !HASHES.test(path)) faults.push({ kind: "slow", detail: `${Math.round(answer.ms)} ms` });
    const dots = Object.values(one.segments).some(({ text, raw }) => raw && /^(\.|%2e){1,2}$/i.test(text));
    if (dots && CHANGES.has(request.method) && answer.status < 300)
      faults.push({ kind: "a dot segment changed another resource", detail: answer.text.slice(0, 300) });
    if (answer.status === 429) {
      const wait = Number(answer.headers["retry-after"] ?? 0) * 1_000;
      const isOverQuota = Object(body).code === "quota_exceeded";
      if (isOverQuota) report.overQuota++;
      else report.rateLimited++;
      if (!isOverQuota && wait <= MAX_REST_MS) principal.restsUntil = Date.now() + wait;
    }
    const hasOwnToken = !one.headers.some(([name]) => name === "Authorization");
    if (answer.status === 401 && principal.renew && hasOwnToken && Object(body).code === "unauthenticated")
      await renew(principal);
    return { request, answer, faults };
  }

  /** The smallest request with the same fault, within the number of attempts. */
  async function shrink(drawn: Draw, kind: string, principal: Principal, found: { plan: Plan; outcome: Outcome }) {
    let smallest = found;
    let attempts = 0;
    const limit = isSlow(kind) ? Math.min(shrinks, SLOW_SHRINKS) : shrinks;
    const property = fc.asyncProperty(plan(drawn.operation, drawn.intent), async (one) => {
      if (attempts++ >= limit) return;
      const outcome = await execute(one, principal);
      if (!outcome.faults.some((fault) => fault.kind === kind)) return;
      smallest = { plan: one, outcome };
      throw new Error(kind);
    });
    await fc.check(property, { seed: drawn.seed, numRuns: 1 });
    return smallest;
  }

  async function record(index: number, drawn: Draw, principal: Principal, one: Plan, outcome: Outcome): Promise<void> {
    const { operationId } = drawn.operation.operation;
    for (const { kind } of outcome.faults) {
      const known = findKnown(operationId, kind);
      if (known) {
        report.known[known] = (report.known[known] ?? 0) + 1;
        continue;
      }
      const existing = report.faults.find((fault) => fault.operationId === operationId && fault.kind === kind);
      if (existing) {
        existing.count++;
        continue;
      }
      if (isSlow(kind) && !(await execute(one, principal)).faults.some((fault) => fault.kind === kind)) {
        report.waited++;
        continue;
      }
      const entry: FoundFault = {
        operationId,
        kind,
        count: 1,
        principal: principal.group,
        index,
        changes: one.changes,
        detail: "",
        curl: "",
      };
      report.faults.push(entry);
      const { plan: smallest, outcome: last } = await shrink(drawn, kind, principal, { plan: one, outcome });
      entry.changes = smallest.changes;
      entry.detail = last.faults.find((fault) => fault.kind === kind)?.detail ?? "";
      entry.curl = toCurl(last.request, principal.token);
    }
  }

  async function runOne(index: number): Promise<void> {
    const drawn = draw(index);
    const { operationId } = drawn.operation.operation;
    if (options.only && !options.only.includes(operationId)) return;
    const principal = await choosePrincipal(drawn);
    const found: { plan: Plan; outcome: Outcome }[] = [];
    const property = fc.asyncProperty(plan(drawn.operation, drawn.intent), async (one) => {
      options.onPlan?.(index, drawn.operation, principal, one);
      found.push({ plan: one, outcome: await execute(one, principal) });
    });
    const { errorInstance } = await fc.check(property, { seed: drawn.seed, numRuns: 1, endOnFailure: true });
    const [first] = found;
    if (!first) throw new Error(`request ${index} was not sent`, { cause: errorInstance });
    const { plan: one, outcome } = first;
    count(operationId, drawn, principal, outcome.answer);
    if (outcome.faults.length > 0) await record(index, drawn, principal, one, outcome);
  }

  function count(operationId: string, { intent }: Draw, principal: Principal, { status, ms, text }: Timed): void {
    report.sent++;
    report.statuses[status] = (report.statuses[status] ?? 0) + 1;
    report.principals[principal.group] = (report.principals[principal.group] ?? 0) + 1;
    const succeeded = status < 400 ? 1 : 0;
    const tally = report.succeeded.get(operationId) ?? { sent: 0, succeeded: 0 };
    report.succeeded.set(operationId, { sent: tally.sent + 1, succeeded: tally.succeeded + succeeded });
    if (intent === "valid") {
      report.validSent++;
      report.validSucceeded += succeeded;
      const { code, errors } = Object(parseJson(text));
      const reason = `${status} ${code ?? ""} ${status === 400 ? `${operationId} ${Object(errors?.[0]).path ?? ""}` : ""}`.trim();
      if (!succeeded) report.validFailed[reason] = (report.validFailed[reason] ?? 0) + 1;
    }
    if (ms > report.slowest.ms) report.slowest = { ms, operationId };
    options.onProgress?.(report.sent);
  }

  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < requests) await runOne(next++);
    }),
  );
  return report;
}

function decodePath(path: string): string {
  try {
    return new URL(`http://localhost${path}`).pathname;
  } catch {
    return path;
  }
}

/** What an administrator, an invitation or a claim code lets somebody see from now on. */
function grant(world: FuzzWorld, operation: Operation | null, sender: Principal, path: string, body: Json | undefined): void {
  const everything = [...world.marks.values()].flat();
  const id = operation?.operation.operationId ?? "";
  const member = /members|care-team|users\//.test(path) ? path : "";
  const named = [...world.groups.values()].flat().find(({ userId }) => userId !== null && member.includes(userId));
  const isPromotion = /^patchUsers/.test(id) && Object(Object(body).data).is_admin === true;
  const isMembership = /^putHospitals.*Members|^put(Patients|Clients).*CareTeam/.test(id);
  const isOwn = /Claim$|InvitationsJoin$|InvitationsAccept$|SwitchHospital$/.test(id);
  const gains = isPromotion || isMembership ? named : isOwn ? sender : undefined;
  if (!gains) return;
  const isOfOneHospital = isOwn && (sender.hospital ?? sender.scope.split(":")[1]) !== undefined && !/Switch/.test(id);
  const marks = isOfOneHospital ? (world.marks.get(sender.hospital ?? sender.scope.split(":")[1] ?? "") ?? []) : everything;
  for (const mark of marks) gains.sees.add(mark);
}
