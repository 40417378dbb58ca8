// CSV that spreadsheet programs open without running anything.

const LINE_END = "\r\n";
/** A cell that begins with one of these is a formula to spreadsheet programs (OWASP, "CSV Injection"); a full-width form counts too. */
const FORMULA_START = /^[=+\-@\t\r\n\0＝＋－＠]/;
const NEEDS_QUOTES = /[",\r\n]/;

/** One field (RFC 4180, section 2). A value that could begin a formula is prefixed by an apostrophe. */
function toField(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA_START.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One record with its line end. Numbers stay numbers: a negative one is no formula. */
export const toCsvRecord = (values: readonly (string | number | null)[]): string => values.map(toField).join(",") + LINE_END;
