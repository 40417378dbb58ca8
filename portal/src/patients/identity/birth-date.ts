// The parts of a birth date as they are typed, and the date that they make.
import { daysOf } from "../../../../src/platform/partial-date.ts";
import { toLatinDigits } from "../latin-digits.ts";

export type BirthDateParts = { day: string; month: string; year: string };
export const NO_BIRTH_DATE: BirthDateParts = { day: "", month: "", year: "" };

export function splitBirthDate(date: string | null): BirthDateParts {
  const [year = "", month = "", day = ""] = (date ?? "").split("-");
  return { year, month, day };
}

/** As the API takes it: YYYY, YYYY-MM or YYYY-MM-DD. Null where nothing is entered, undefined where it is no date. */
export function joinBirthDate({ day, month, year }: BirthDateParts): string | null | undefined {
  const parts = [year, month, day].map((part) => toLatinDigits(part.trim()));
  if (parts.every((part) => part === "")) return null;
  const [y = "", m = "", d = ""] = parts;
  if (m === "" && d !== "") return undefined;
  const date = [y, ...(m && [m.padStart(2, "0")]), ...(d && [d.padStart(2, "0")])].join("-");
  return daysOf(date) ? date : undefined;
}
