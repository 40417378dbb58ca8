// Ids and secrets from the answers so far, and the placeholders of a plan that they replace.
import type { Json } from "./document.ts";

/**
 * Placeholders of generated requests, so that the same seed gives the same requests whatever ids the product assigns:
 * `«own:patient_id:7»` an id that the sender may see, `any` one of any hospital, `spare` one that the set-up does not need,
 * `strange` one of another hospital (for administrators, who may delete it, a spare one),
 * `«secret:ticket:3»` a token or code, `«time:-60000»` a time relative to now, `«minute:90»` a whole minute ahead,
 * `«text»` the marker of the sender's hospital.
 */
const PLACEHOLDER =
  /«(own|any|spare|strange|secret|time|minute|text|unique|login|password|version)(?::([a-z_][a-z_0-9]*))?(?::(-?\d+))?»/g;

/** Fields that contain an id of another field's kind. */
const KIND_OF: Record<string, string> = {
  assigned_doctor_id: "user_id",
  actor_id: "user_id",
  assigned_to: "user_id",
  duplicate_of: "report_id",
  patient_number: "patient_id",
};
const SECRETS: Record<string, string> = {
  token: "token",
  refresh_token: "refresh_token",
  code: "code",
  ticket: "ticket",
  next_cursor: "cursor",
  download_url: "link",
  cloud_url: "link",
};
const NOT_FOUND = "0193a5b0-0000-7000-8000-00000000dead";
const MAX_KEPT = 64;
const MAX_NODES = 1_500;

/** Who sends: `scope` names the ids and secrets that the sender has seen, `*` all of them. */
export type Sender = { scope: string; mark: string | null; login?: { email: string; password: string } };

export class Pool {
  private readonly pinned = new Map<string, string[]>();
  private readonly found = new Map<string, string[]>();
  private readonly needed = new Set<string>();
  private readonly versions = new Map<string, number>();
  private readonly reports = new Map<string, string>();
  private count = 0;
  /** Ids of the set-up are pinned: they are never the target of a deletion, and later ids do not replace them. */
  isSettingUp = true;
  /** Ids that no request may contain, such as the account that sets up the world. */
  readonly excluded = new Set<string>();

  private readonly unique: string;

  constructor(unique: string) {
    this.unique = unique;
  }

  add(scope: string, kind: string, value: string): void {
    if (this.excluded.has(value)) return;
    const key = `${scope} ${kind}`;
    const pinned = this.pinned.get(key) ?? [];
    if (pinned.includes(value)) return;
    if (this.isSettingUp) {
      this.pinned.set(key, [...pinned, value]);
      this.needed.add(value);
      return;
    }
    const list = this.found.get(key) ?? [];
    if (list.includes(value)) return;
    if (list.length < MAX_KEPT) list.push(value);
    else list[this.count++ % MAX_KEPT] = value;
    this.found.set(key, list);
  }

  /** Collects what an answer contains. */
  harvest(scope: string, body: Json | undefined): void {
    let nodes = 0;
    const visit = (value: Json): void => {
      if (typeof value !== "object" || value === null || ++nodes > MAX_NODES) return;
      if (Array.isArray(value)) {
        for (const inner of value) visit(inner);
        return;
      }
      const entries = Object.entries(value);
      const [, id] = entries.find(([key]) => key.endsWith("_id")) ?? [];
      if (typeof id === "string" && typeof value["version"] === "number") this.setVersion(id, value["version"]);
      for (const [key, inner] of entries) {
        if (typeof inner === "string" || typeof inner === "number") this.addMember(scope, key, String(inner));
        else visit(inner);
      }
    };
    if (body !== undefined) visit(body);
  }

  private addMember(scope: string, key: string, text: string): void {
    const [, reportId, link] = /\/reports\/([^/]+)\/file\?link=([^&]+)/.exec(text) ?? [];
    if (reportId !== undefined && link !== undefined) {
      if (this.reports.size > 5_000) this.reports.clear();
      this.reports.set(link, reportId);
    }
    const secret = SECRETS[key];
    if (secret) this.add(scope, `secret:${secret}`, link ?? text);
    const kind = KIND_OF[key] ?? key;
    if (kind.endsWith("_id") && key !== "request_id" && key !== "error_id" && text.length <= 100) this.add(scope, kind, text);
  }

  /** The report that a signed link opens. */
  reportOfLink(link: string): string | undefined {
    return this.reports.get(link);
  }

  private setVersion(id: string, version: number): void {
    if (this.versions.size > 20_000) this.versions.clear();
    this.versions.set(id, version);
  }

  private list(source: "pinned" | "found" | "both", scope: string, kind: string): string[] {
    const lists = source === "both" ? [this.pinned, this.found] : [this[source]];
    if (scope !== "*") return lists.flatMap((list) => list.get(`${scope} ${kind}`) ?? []);
    return lists.flatMap((list) => [...list].flatMap(([key, values]) => (key.endsWith(` ${kind}`) ? values : [])));
  }

  private pick(how: string, scope: string, kind: string, n: number): string {
    // A patient uses the codes that the staff of the hospital prints.
    const hospital = scope.replace(/^patient:/, "");
    const first = (...lists: string[][]) => lists.find((list) => list.length > 0) ?? [];
    const spare = (list: string[]) => list.filter((value) => !this.needed.has(value));
    const own = this.list("both", scope, kind);
    const all = () => this.list("both", "*", kind);
    const choices: Record<string, () => string[]> = {
      own: () => first(own, all()),
      any: all,
      spare: () => first(spare(this.list("found", scope, kind)), spare(this.list("found", "*", kind))),
      strange: () => (scope === "*" ? spare(all()) : all().filter((value) => !own.includes(value))),
      secret: () => first(own, this.list("both", hospital, kind)),
    };
    const list = choices[how]?.() ?? [];
    return list[n % list.length] ?? NOT_FOUND;
  }

  /** @param path of the request, whose last id the `version` belongs to */
  resolve(text: string, sender: Sender, path = ""): string {
    if (!text.includes("«")) return text;
    return text.replace(PLACEHOLDER, (_, what: string, kind = "", number = "0") => {
      const n = Number(number);
      switch (what) {
        case "time":
          return new Date(Date.now() + n).toISOString();
        case "minute":
          return new Date((Math.floor(Date.now() / 60_000) + n) * 60_000).toISOString();
        case "text":
          return sender.mark ?? "plain";
        case "unique":
          return `${this.unique}x${this.count++}`;
        case "login":
          return sender.login?.email ?? "nobody@example.org";
        case "password":
          return sender.login?.password ?? "quiet river stones";
        case "version":
          return String(this.versions.get(path.split("/").findLast((part) => this.versions.has(part)) ?? "") ?? 1);
        case "secret":
          return this.pick(what, sender.scope, `secret:${kind}`, n);
        default:
          return this.pick(what, sender.scope, kind, n);
      }
    });
  }
}
