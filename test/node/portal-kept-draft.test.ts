// The draft of a new report survives an expired session: only for the same user and the same visit of the page.
import { beforeEach, expect, it } from "vitest";
import type { DraftOwner } from "../../portal/src/platform/draft-store.ts";
import { createUploadDraftStore, type DraftState } from "../../portal/src/reports/upload/draft-store.ts";

const OWNER: DraftOwner = { user: "nurse", hospital: "h1", visit: "v1" };
const ENTERED: DraftState<string> = {
  step: 3,
  file: new File(["%PDF-"], "ecg.pdf"),
  patient: "Asha",
  input: { kind: "ecg", timeIs: null, wallTime: "", typedMetrics: { heart_rate: "72" }, interpretation: "" },
  uploadKey: { key: "k", of: "[]" },
};
const drafts = createUploadDraftStore<string>();
beforeEach(() => drafts.save(OWNER, ENTERED));

it("is there again as it was, and under its key", () => {
  expect(drafts.load({ ...OWNER })).toBe(ENTERED);
});

it.each<[string, Partial<DraftOwner>]>([
  ["another person", { user: "doctor" }],
  ["another visit, perhaps from another patient's page", { visit: "v2" }],
])("is not there for %s", (_, change) => {
  expect(drafts.load({ ...OWNER, ...change })).toBeNull();
});

it("loses its patient where the person acts for another hospital now", () => {
  expect(drafts.load({ ...OWNER, hospital: "h2" })).toEqual({ ...ENTERED, step: 1, patient: null, uploadKey: null });
});

it("is gone once it is filed or given up", () => {
  drafts.clear();
  expect(drafts.load(OWNER)).toBeNull();
});
