// Dates of consents in the portal: which days a form accepts, what it sends, and which period of shared measurements is shown.
import { expect, it } from "vitest";
import {
  fillOpenEnds,
  findDayFaults,
  requestLimits,
  toDays,
  toInstants,
  toNarrowed,
  toShownDays,
} from "../../portal/src/consents/scope-draft.ts";
import { keepWithin } from "../../portal/src/consents/shared-window.ts";
import { toDataDates } from "../../src/document-requests/open-dates.ts";

const ZONE = "Asia/Kolkata";
const TODAY = "2026-11-30";
const DAYS = { from: "2026-01-01", until: "2026-06-30", expires: "2027-03-31" };
const ASKED = toInstants(DAYS, ZONE);

it("sends whole days of the hospital's zone, and reads them back", () => {
  expect(ASKED).toEqual({
    data_from: "2025-12-31T18:30:00.000Z",
    data_until: "2026-06-30T18:29:59.999Z",
    expires_at: "2027-03-31T18:29:59.999Z",
  });
  expect(toDays(ASKED, ZONE)).toEqual(DAYS);
  // Access that ends as a day begins includes the day before.
  expect(toDays({ ...ASKED, expires_at: "2027-03-31T18:30:00.000Z" }, ZONE).expires).toBe("2027-03-31");
});

it("sends what the person narrowed, and leaves the rest exactly as requested", () => {
  const asked = { ...ASKED, data_from: "2026-01-01T09:15:00.000Z" };
  expect(toNarrowed(DAYS, asked, ZONE)).toEqual({});
  expect(toNarrowed({ ...DAYS, until: "2026-06-29" }, asked, ZONE)).toEqual({ data_until: "2026-06-29T18:29:59.999Z" });
  const sooner = "2027-01-31T18:29:59.999Z";
  expect(toNarrowed({ ...DAYS, expires: "2027-01-31" }, asked, ZONE)).toEqual({ expires_at: sooner, erase_at: sooner });
});

it("shows no day where a document request named none, and sends what it asked unless a day is entered", () => {
  const created_at = "2026-11-30T06:00:00.000Z";
  const { dataFrom, dataUntil } = toDataDates(null, null, Date.parse(created_at));
  const dates = { data_from: new Date(dataFrom).toISOString(), data_until: new Date(dataUntil).toISOString() };
  const consent = { ...ASKED, ...dates, created_at, document_request_id: "request" };
  const shown = { from: "", until: "", expires: DAYS.expires };
  expect(toShownDays(consent, ZONE)).toEqual(shown);
  const send = (days: typeof shown) => toNarrowed(fillOpenEnds(days, consent, ZONE), consent, ZONE);
  expect(send(shown)).toEqual({});
  expect(send({ ...shown, from: "2026-01-01" })).toEqual({ data_from: "2025-12-31T18:30:00.000Z" });
  expect(toShownDays({ ...consent, data_from: ASKED.data_from }, ZONE)).toEqual({ ...shown, from: "2026-01-01" });
  // Without its last day, which was narrowed, the first one is open still.
  expect(toShownDays({ ...consent, data_until: ASKED.data_until }, ZONE)).toEqual({ ...shown, until: "2026-06-30" });
  expect(toShownDays({ ...consent, document_request_id: null }, ZONE)).toEqual(toDays(consent, ZONE));
});

it.each([
  [{}, {}],
  [{ from: "2025-12-31" }, { data_from: "consents.fault.wider" }],
  [{ until: "2026-07-01" }, { data_until: "consents.fault.wider" }],
  [{ expires: "2027-04-01" }, { expires_at: "consents.fault.wider" }],
  [{ expires: "2026-11-29" }, { expires_at: "consents.fault.past" }],
  [{ from: "2026-06-30", until: "2026-01-01" }, { data_until: "consents.fault.order" }],
  [
    { from: "", until: "2026-02-30", expires: "soon" },
    { data_from: "consents.fault.date", data_until: "consents.fault.date", expires_at: "consents.fault.date" },
  ],
])("of an answer with %j finds %j", (change, faults) => {
  expect(findDayFaults({ ...DAYS, ...change }, DAYS, TODAY)).toEqual(faults);
});

it("accepts requests within the bounds of the service", () => {
  const limits = requestLimits(TODAY);
  const faultsOf = (change: object) => findDayFaults({ ...DAYS, ...change }, limits, TODAY);
  expect(faultsOf({ expires: limits.expires })).toEqual({});
  expect(faultsOf({ expires: "2036-01-01" })).toEqual({ expires_at: "consents.fault.life" });
  expect(faultsOf({ from: "1906-01-01" })).toEqual({ data_until: "consents.fault.span" });
  expect(faultsOf({ from: "1907-01-01", until: TODAY })).toEqual({});
});

const at = (text: string) => Date.parse(text);
const NOW = at("2026-11-30T12:00:00Z");
const OVER = { from: at("2026-01-01T00:00:00Z"), until: at("2026-06-30T23:59:59.999Z") };

it("keeps charts within the dates that are shared", () => {
  const running = { ...OVER, until: at("2026-12-31T00:00:00Z") };
  expect(keepWithin({ range: "6h" }, running, NOW)).toEqual({
    range: "6h",
    from: "2026-11-30T06:00:00.000Z",
    to: "2026-11-30T12:00:00.000Z",
  });
  // Shared dates that are over: the last days of them, not the current time.
  expect(keepWithin({}, OVER, NOW)).toEqual({ from: "2026-06-01T00:00:00.000Z", to: "2026-07-01T00:00:00.000Z" });
  expect(keepWithin({ range: "24h" }, OVER, NOW)).toMatchObject({ from: "2026-06-30T00:00:00.000Z" });
  const inside = { from: "2026-03-01T00:00:00.000Z", to: "2026-03-02T00:00:00.000Z" };
  expect(keepWithin(inside, OVER, NOW)).toEqual(inside);
  // Moved to the nearest shared day.
  expect(keepWithin({ from: "2025-12-01T00:00:00Z", to: "2025-12-02T00:00:00Z" }, OVER, NOW)).toEqual({
    from: "2026-01-01T00:00:00.000Z",
    to: "2026-01-02T00:00:00.000Z",
  });
  expect(keepWithin({ from: "2026-08-01T00:00:00Z", to: "2026-08-02T00:00:00Z" }, OVER, NOW)).toEqual({
    from: "2026-06-30T00:00:00.000Z",
    to: "2026-07-01T00:00:00.000Z",
  });
});
