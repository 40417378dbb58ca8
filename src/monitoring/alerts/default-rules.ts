// The default limits by age, on a ward and at home.
import { requireRole } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { type PageQuery, resolvePageStart, slicePage } from "../../http/pagination.ts";
import { getDefaultLimits, VITALS } from "../vitals/catalogue.ts";
import { type LimitProfile, toHomeSource } from "../vitals/home-limits.ts";
import type { AgeBand } from "../vitals/model.ts";

/** The default limits of an age band, on a ward or at home, with their sources. */
export async function listDefaultRules(call: Call, query: PageQuery & { age_band: AgeBand; monitoring: LimitProfile }) {
  const start = await resolvePageStart(call, "default_rules", query);
  await requireRole(call, "alert_rule:read");
  const { age_band, monitoring } = query;
  const defaults = getDefaultLimits(age_band, monitoring);
  const rules = VITALS.flatMap(({ code, name, display, unit, plausible, source: wardSource }) => {
    const limits = defaults[code];
    const source = monitoring === "home" ? toHomeSource(code, wardSource) : wardSource;
    return limits ? [{ code, name, display, unit, plausible, monitoring, limits, source }] : [];
  });
  const { rows: items, pagination } = await slicePage(start, rules);
  return { items, pagination };
}
