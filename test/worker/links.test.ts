// Signed links: valid for five minutes, one report and one method; a change to the link or to the signer's access voids them.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { LINK_LIFETIME_MS } from "../../src/access/file-links.ts";
import { getKeys } from "../../src/platform/config.ts";
import { computeMac, toBase64Url } from "../../src/platform/crypto.ts";
import { isSampled } from "../long.ts";
import {
  API,
  env,
  newDevice,
  newLogin,
  newPdf,
  newPerson,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let reportId: string;
let url: string;
const pdf = newPdf("linked", 100_000);

beforeAll(async () => {
  world = await newWorld();
  const { data } = await readJson(await uploadReport(world.nurse, pdf, { patient_id: world.patient.id }));
  reportId = data.report_id;
  url = (await readJson(await sendRequest(`${API}/reports/${reportId}`, { as: world.doctor }))).data.download_url;
});
afterEach(() => vi.useRealTimers());

const signed = () => new URL(url).searchParams.get("link") ?? "";
const withLink = (link: string, id = reportId) => sendRequest(`${API}/reports/${id}/file?link=${encodeURIComponent(link)}`);

async function expectOpen(response: Response): Promise<void> {
  expect(response.status).toBe(200);
  expect(await sha256(new Uint8Array(await response.arrayBuffer()))).toBe(await sha256(pdf));
}

async function expectCode(response: Response, status: number, code: string): Promise<void> {
  expect({ status: response.status, ...(await readJson(response)) }).toMatchObject({ status, code });
}

describe("a signed link", () => {
  it("opens its file as often as asked, and each time leaves who came from where", async () => {
    for (const ip of ["192.0.2.1", "192.0.2.2"]) {
      const response = await sendRequest(url, { ip });
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "application/pdf",
        "content-length": String(pdf.length),
        "content-disposition": expect.stringMatching(/^attachment; /),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "private, no-store",
      });
      await expectOpen(response);
      expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
        { event: "report.download", actor_id: world.doctor.id, ip, detail: '{"via":"link"}', subjects: [world.patient.id] },
      ]);
    }
  });

  it("opens with a trailing slash, as every path does", async () => {
    await expectOpen(await sendRequest(url.replace("/file?", "/file/?")));
  });

  it("is refused with any one character changed, dropped or added", async () => {
    const link = signed();
    const statuses = new Set<number>();
    const others = "Aa0_-.~";
    const changed = Array.from({ length: link.length }, (_, i) => {
      const other = [...others].find((ch, n) => ch !== link[i] && n >= i % others.length) ?? "+";
      return [
        link.slice(0, i) + other + link.slice(i + 1),
        link.slice(0, i) + link.slice(i + 1),
        `${link.slice(0, i)}A${link.slice(i)}`,
      ];
    }).flat();
    const tried = changed.filter((_, i) => isSampled(Math.floor(i / 3), i % 3, 3));
    for (const text of tried.filter((one) => one !== link)) statuses.add((await withLink(text)).status);
    expect(changed.length).toBeGreaterThan(300);
    expect([...statuses]).toEqual([403]);
  });

  it.each<[string, (link: string) => string]>([
    ["nothing", () => ""],
    ["no signature", (link) => link.replace(/\.[^.]*$/, "")],
    ["an empty signature", (link) => link.replace(/\.[^.]*$/, ".")],
    ["half a signature", (link) => link.slice(0, -20)],
    ["padding", (link) => `${link}=`],
    ["a second signature", (link) => `${link}.${link.split(".").at(-1)}`],
    ["another order", (link) => link.split(".").reverse().join(".")],
    ["another case", (link) => link.toUpperCase()],
    ["the parts shifted", (link) => link.replace(/^u\.(.)/, "u$1.")],
    ["a device's kind", (link) => link.replace(/^u/, "d")],
  ])("is refused with %s", async (_, change) => {
    await expectCode(await withLink(change(signed())), 403, "link_invalid");
    await expectOpen(await withLink(signed()));
  });

  it("is refused for another report, person, session or expiry", async () => {
    const { data } = await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id }));
    await expectCode(await withLink(signed(), data.report_id), 403, "link_invalid");
    const [kind, user, session, exp, tag] = signed().split(".");
    await expectCode(await withLink([kind, world.nurse.id, session, exp, tag].join(".")), 403, "link_invalid");
    await expectCode(await withLink([kind, user, world.nurse.sessionId, exp, tag].join(".")), 403, "link_invalid");
    await expectCode(await withLink([kind, user, session, Number(exp) + 1, tag].join(".")), 403, "link_invalid");
  });

  it("has no other parameters: additional and repeated ones are rejected", async () => {
    expect((await sendRequest(`${url}&x=1`)).status).toBe(400);
    expect((await sendRequest(`${url}&link=${signed()}`)).status).toBe(400);
  });

  it("is for GET alone", async () => {
    for (const method of ["HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
      const response = await sendRequest(url, { method, headers: { "Content-Type": "application/json" } });
      expect([403, 405], method).toContain(response.status);
      expect(response.headers.get("content-disposition")).toBeNull();
    }
    await expectOpen(await sendRequest(url));
  });

  it("lasts five minutes to the millisecond", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(start);
    const { data } = await readJson(await sendRequest(`${API}/reports/${reportId}`, { as: world.doctor }));
    expect(Date.parse(data.download_expires_at)).toBe(start + LINK_LIFETIME_MS);
    vi.setSystemTime(start + LINK_LIFETIME_MS - 1);
    await expectOpen(await sendRequest(data.download_url));
    vi.setSystemTime(start + LINK_LIFETIME_MS);
    await expectCode(await sendRequest(data.download_url), 410, "link_expired");
    vi.setSystemTime(start - 60_000);
    await expectCode(await sendRequest(data.download_url), 403, "link_invalid");
  });

  it("is refused when rightly signed for longer", async () => {
    const keys = await getKeys(env);
    const sign = async (life: number) => {
      const payload = `u.${world.doctor.id}.${world.doctor.sessionId}.${Date.now() + life}`;
      return `${payload}.${toBase64Url(await computeMac(keys.link.current, ["link", "GET", reportId, payload]))}`;
    };
    await expectOpen(await withLink(await sign(LINK_LIFETIME_MS - 1000)));
    await expectCode(await withLink(await sign(LINK_LIFETIME_MS + 60_000)), 403, "link_invalid");
    await expectCode(await withLink(await sign(Number.NaN)), 403, "link_invalid");
  });

  it("never reaches the log", async () => {
    const lines = vi.spyOn(console, "log").mockImplementation(() => {});
    await sendRequest(url);
    await sendRequest(`${url}x`);
    const logged = JSON.stringify(lines.mock.calls);
    lines.mockRestore();
    expect(logged).toContain("/file");
    expect(logged).not.toContain(signed().split(".").at(-1));
    expect(logged).not.toContain("link=");
  });
});

describe("a link checks its signer's access again", () => {
  const linkOf = async (as: { token: string }): Promise<string> => {
    const link = (await readJson(await sendRequest(`${API}/reports/${reportId}`, { as }))).data.download_url;
    await expectOpen(await sendRequest(link));
    return link;
  };

  it("after logout", async () => {
    const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
    const link = await linkOf(session);
    expect((await sendRequest(`${API}/auth/logout`, { as: session, method: "POST" })).status).toBe(200);
    await expectCode(await sendRequest(link), 401, "unauthenticated");
    await linkOf(world.nurse);
  });

  it("after deactivation", async () => {
    const leaver = await newPerson("nurse", world.hospitalId);
    const link = await linkOf(leaver);
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(leaver.id).run();
    await expectCode(await sendRequest(link), 401, "unauthenticated");
  });

  it("after leaving the hospital", async () => {
    const leaver = await newPerson("nurse", world.hospitalId);
    const link = await linkOf(leaver);
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(leaver.id).run();
    await expectCode(await sendRequest(link), 401, "unauthenticated");
  });

  it("after leaving the care team", async () => {
    const doctor = await newPerson("doctor", world.hospitalId);
    const member = `${API}/patients/${world.patient.id}/care-team/${doctor.id}`;
    expect((await sendRequest(member, { as: world.nurse, method: "PUT" })).status).toBe(200);
    const link = await linkOf(doctor);
    expect((await sendRequest(member, { as: world.nurse, method: "DELETE" })).status).toBe(200);
    const response = await sendRequest(link);
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "access.denied", actor_id: doctor.id },
    ]);
    await expectCode(response, 404, "not_found");
  });

  it("after a patient's record was unlinked", async () => {
    const link = await linkOf(world.self);
    await env.DB.prepare("DELETE FROM patient_links WHERE user_id = ?").bind(world.self.id).run();
    await expectCode(await sendRequest(link), 404, "not_found");
  });

  it("after a device's credential was revoked", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const { data } = await readJson(await uploadReport(device, newPdf()));
    expect((await sendRequest(data.cloud_url)).status).toBe(200);
    const path = `${API}/devices/${device.id}/credentials/${device.credentialId}`;
    expect((await sendRequest(path, { as: world.nurse, method: "DELETE" })).status).toBe(200);
    await expectCode(await sendRequest(data.cloud_url), 401, "unauthenticated");
  });
});

describe("a device", () => {
  it("reads back what it uploaded and nothing else", async () => {
    const [mine, twin] = [await newDevice(world.nurse, world.patient.id), await newDevice(world.nurse, world.patient.id)];
    const { data } = await readJson(await uploadReport(mine, newPdf("mine")));
    expect((await sendRequest(`${API}/reports/${data.report_id}`, { as: mine })).status).toBe(200);
    expect((await sendRequest(data.cloud_url)).status).toBe(200);
    expect((await sendRequest(data.file_url, { as: mine })).status).toBe(200);
    for (const path of [`/reports/${data.report_id}`, `/reports/${data.report_id}/file`, `/ecg/reports/${data.report_id}`]) {
      expect((await sendRequest(API + path, { as: twin })).status, path).toBe(404);
    }
    expect((await sendRequest(`${API}/reports/${reportId}`, { as: mine })).status).toBe(404);
    for (const path of [
      "/reports",
      "/reports/list",
      "/reports/stats",
      "/uploads",
      "/patients",
      `/patients/${world.patient.id}`,
    ]) {
      expect((await sendRequest(API + path, { as: mine })).status, path).toBe(403);
    }
  });

  it("is quarantined without an assigned patient, for another patient, and with a file that is not a PDF", async () => {
    const bound = await newDevice(world.nurse, world.patient.id);
    const free = await newDevice(world.nurse, null);
    const junk = new TextEncoder().encode("no PDF at all");
    const tries = [
      [free, newPdf(), {}, "not_found"],
      [bound, newPdf(), { patient_id: world.stranger.id }, "not_found"],
      [bound, junk, {}, "not_pdf"],
    ] as const;
    for (const [device, bytes, fields, reason] of tries) {
      const sent = await uploadReport(device, new Uint8Array(bytes), fields);
      expect(sent.status).toBe(202);
      const { data } = await readJson(sent);
      expect(data).toMatchObject({ report_id: null, status: "quarantined", reason, cloud_url: null, file_url: null });
      const row = await env.DB.prepare("SELECT * FROM uploads WHERE id = ?").bind(data.upload_id).first();
      expect(row).toMatchObject({ outcome: "quarantined", reason, report_id: null, hospital_id: world.hospitalId });
      expect(await env.FILES.head(String(row?.["file_key"]))).not.toBeNull();
      const [event] = await readAuditEvents(sent.headers.get("x-request-id") ?? "");
      expect(event).toMatchObject({ event: "report.quarantine", actor_role: "device", outcome: "success" });
    }
    expect((await uploadReport(bound, newPdf(), { patient_id: world.patient.id })).status).toBe(201);
  });
});
