// The category of documents, an author that a new version clears, and what webhooks are told.
import { beforeAll, describe, expect, it } from "vitest";
import { newDocument, newText, uploadDocument, uploadVersion } from "../document-files.ts";
import { newWorld, readJson, type World } from "../world.ts";
import { deliver, newWebhook, readDeliveries } from "./webhook-world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const upload = async (fields: Record<string, string>) =>
  (await readJson(await uploadDocument(world.nurse, newText(), { patient_id: world.patient.id, ...fields }))).data;

describe("a document", () => {
  it("has the category of its type, and none where it is no note", async () => {
    expect((await upload({ type: "18842-5" })).category).toEqual({
      system: "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
      code: "clinical-note",
      display: "Clinical Note",
    });
    for (const type of ["57833-6", "59284-0"]) expect((await upload({ type })).category).toBeNull();
  });

  it("loses its author by a version with an empty one, and keeps it by a version without", async () => {
    const { document_id } = await upload({ author: "Dr. Meera Rao" });
    const kept = (await readJson(await uploadVersion(world.nurse, document_id, newText(), "*"))).data;
    expect(kept.author).toBe("Dr. Meera Rao");
    const cleared = (
      await readJson(await uploadVersion(world.nurse, kept.document_id, newText(), "*", { author: "", title: "" }))
    ).data;
    expect(cleared).toMatchObject({ author: null, title: kept.title });
    const long = await uploadVersion(world.nurse, cleared.document_id, newText(), "*", { author: "x".repeat(201) });
    expect(long.status).toBe(400);
  });

  it("is told to webhooks by its ids alone", async () => {
    const clinic = await newWorld();
    const webhook = await newWebhook(clinic.manager, { events: ["document.created"] });
    const id = await newDocument(clinic.nurse, clinic.patient.id);
    await readJson(await uploadVersion(clinic.nurse, id, newText(), "*"));
    const deliveries = await readDeliveries(webhook.id);
    expect(deliveries).toHaveLength(2);
    for (const delivery of deliveries) await deliver(delivery.id.slice(0, 36));
    await expect.poll(webhook.received).toHaveLength(2);
    const bodies = (await webhook.received()).map(({ body }) => JSON.parse(body));
    const keys = ["document_id", "hospital_id", "patient_id"];
    expect(bodies.map(({ type, data }) => [type, Object.keys(data).sort()])).toEqual([
      ["document.created", keys],
      ["document.created", keys],
    ]);
    expect(bodies.map(({ data }) => data.document_id)).toContain(id);
  });
});
