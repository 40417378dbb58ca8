// The portal's birth dates, and an identity that two people correct at once.
import { beforeAll, describe, expect, it } from "vitest";
import { joinBirthDate, splitBirthDate } from "../../portal/src/patients/identity/birth-date.ts";
import { mergeDraft, toChange, toDraft, validateIdentity } from "../../portal/src/patients/identity/identity-draft.ts";
import { formatBirthDate, formatPatientAge } from "../../portal/src/patients/patient-age.ts";
import { loadCatalogue } from "../../portal/src/platform/messages/catalogues.ts";

beforeAll(() => loadCatalogue("en"));

describe("a birth date", () => {
  it.each(["1964-03-04", "1964-03", "1964"])("is typed as it is stored: %s", (date) => {
    expect(joinBirthDate(splitBirthDate(date))).toBe(date);
  });

  it.each([
    [{ day: "4", month: "03", year: "१९६४" }, "1964-03-04"],
    [{ day: "", month: "", year: "" }, null],
    [{ day: "4", month: "", year: "1964" }, undefined],
    [{ day: "30", month: "02", year: "1964" }, undefined],
    [{ day: "", month: "02", year: "" }, undefined],
    [{ day: "", month: "", year: "64" }, undefined],
    [{ day: "x", month: "02", year: "1964" }, undefined],
  ])("%j is %j", (parts, date) => {
    expect(joinBirthDate(parts)).toBe(date);
  });

  it.each([
    ["1964-03-04", "2026-03-03", "61", "4 Mar 1964"],
    ["1964-03-04", "2026-03-04", "62", "4 Mar 1964"],
    ["1964-03", "2026-03-15", "61–62", "Mar 1964"],
    ["1964-03", "2026-04-01", "62", "Mar 1964"],
    ["1964", "2026-11-30", "61–62", "1964"],
    ["2026-06", "2026-11-30", "5 months", "Jun 2026"],
  ])("%s on %s is of age %s, and written %s", (date, today, age, text) => {
    expect(formatPatientAge(date, Date.parse(today))).toBe(age);
    expect(formatBirthDate(date)).toBe(text);
  });
});

describe("an identity that two people correct", () => {
  const base = {
    first_name: "Asha",
    last_name: "Verma",
    gender: "female" as const,
    date_of_birth: "1964",
    phone: null,
    email: null,
    address: "12 Lake Road",
    abha_number: null,
  };

  it("sends only what was changed, with the reason", () => {
    expect(toChange(base, toDraft(base))).toEqual({});
    expect(toChange(base, { ...toDraft(base), reason: "Nothing" })).toEqual({});
    const draft = { ...toDraft(base), address: " ", birth: splitBirthDate("1964-03"), reason: "Asked" };
    expect(toChange(base, draft)).toEqual({ address: null, date_of_birth: "1964-03", reason: "Asked" });
  });

  it("sends an ABHA number in Latin digits, and null where it is emptied", () => {
    expect(toChange(base, { ...toDraft(base), abha_number: "९१ 1234 5678 9012" })).toEqual({ abha_number: "91 1234 5678 9012" });
    const recorded = { ...base, abha_number: "91-1234-5678-9012" };
    expect(toChange(recorded, toDraft(recorded))).toEqual({});
    expect(toChange(recorded, { ...toDraft(recorded), abha_number: " " })).toEqual({ abha_number: null });
    const t = (key: string) => key;
    const check = (abha_number: string) => validateIdentity({ ...toDraft(base), abha_number }, t as never);
    expect([check("91-1234-5678-9012"), check("91-1234-5678-901")]).toEqual([{}, { abha_number: "patients.abha_wrong" }]);
  });

  it("shows both values, keeps what was typed, and takes the rest", () => {
    const current = { ...base, address: "9 Mill Lane", phone: "+91 80000 22222" };
    const merged = mergeDraft(base, { ...toDraft(base), address: "4 Hill Street", reason: "Moved" }, current);
    expect(merged.conflicts).toEqual([
      { field: "phone", saved: "+91 80000 22222", own: "+91 80000 22222" },
      { field: "address", saved: "9 Mill Lane", own: "4 Hill Street" },
    ]);
    expect(toChange(current, merged.draft)).toEqual({ address: "4 Hill Street", reason: "Moved" });
  });

  it("has no conflict where the other saved something else of the record", () => {
    expect(mergeDraft(base, toDraft(base), base).conflicts).toEqual([]);
  });
});
