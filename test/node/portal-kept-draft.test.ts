// What was entered for a new report outlives a session that ended: for the same person, on the same visit of the page, and nobody else.
import { beforeEach, expect, it } from "vitest";
import { draftKeeper, type Entered, type Owner } from "../../portal/src/uploads/kept-draft.ts";

const OWNER: Owner = { user: "nurse", hospital: "h1", visit: "v1" };
const ENTERED: Entered<string> = {
  step: 3,
  file: new File(["%PDF-"], "ecg.pdf"),
  patient: "Asha",
  said: { kind: "ecg", wall: "", typed: { heart_rate: "72" }, interpretation: "" },
  keyed: { key: "k", of: "[]" },
};
const drafts = draftKeeper<string>();
beforeEach(() => drafts.keep(OWNER, ENTERED));

it("is there again as it was, and under its key", () => {
  expect(drafts.of({ ...OWNER })).toBe(ENTERED);
});

it.each<[string, Partial<Owner>]>([
  ["another person", { user: "doctor" }],
  ["another visit, perhaps from another patient's page", { visit: "v2" }],
])("is not there for %s", (_, change) => {
  expect(drafts.of({ ...OWNER, ...change })).toBeNull();
});

it("loses its patient where the person acts for another hospital now", () => {
  expect(drafts.of({ ...OWNER, hospital: "h2" })).toEqual({ ...ENTERED, step: 1, patient: null, keyed: null });
});

it("is gone once it is filed or given up", () => {
  drafts.forget();
  expect(drafts.of(OWNER)).toBeNull();
});
