// The check of the portal's messages: a known-bad twin for each kind of fault that it must find.
import { expect, it } from "vitest";
import { problemsOf, readCatalogues, readSources } from "../../scripts/portal-messages.mjs";

const COUNT = {
  en: { "ward.count": "{n, plural, one {# patient} other {# patients}} of {total}" },
  hi: { "ward.count": "{total} में से {n, plural, one {# दिख रहा है} other {# दिख रहे हैं}}" },
};
const GOOD = {
  en: { "ward.title": "Ward", "ward.age": "No data for {n} min", "ward.unit": "mmHg", "priority.high": "HIGH", ...COUNT.en },
  hi: { "ward.title": "वार्ड", "ward.age": "{n} मिनट से डेटा नहीं आया", "ward.unit": "mmHg", "priority.high": "उच्च", ...COUNT.hi },
};
const SOURCES = [
  `say("ward.title"); say("ward.age", { n }); say("ward.unit"); say("ward.count", { n, total })`,
  `translateCode("priority", value)`,
];

const found = (hi: Record<string, string | undefined>, en: Record<string, string> = {}) => {
  const of = (texts: object) => JSON.parse(JSON.stringify(texts));
  return problemsOf({ ward: { en: { ...GOOD.en, ...en }, hi: of({ ...GOOD.hi, ...hi }) } }, SOURCES);
};

it("finds nothing where nothing is wrong", () => {
  expect(problemsOf({ ward: GOOD }, SOURCES)).toEqual([]);
});

it.each([
  ["a key in English only", { "ward.title": undefined }, {}, ["ward.title is missing in Hindi"]],
  ["a key in Hindi only", { "ward.more": "और" }, {}, ["ward.more is missing in English"]],
  [
    "English in place of Hindi",
    { "ward.title": "Ward" },
    {},
    ["is the same in Hindi", "has words in Latin script in Hindi: Ward", "has no Devanagari"],
  ],
  ["Hindi in Latin letters", { "ward.title": "Waard" }, {}, ["has words in Latin script in Hindi: Waard", "has no Devanagari"]],
  ["a word of English within Hindi", { "ward.title": "वार्ड board" }, {}, ["has words in Latin script in Hindi: board"]],
  ["a placeholder that is lost", { "ward.age": "डेटा नहीं आया" }, {}, ["has the placeholders {n}, in Hindi none"]],
  ["another placeholder", { "ward.age": "{m} मिनट" }, {}, ["has the placeholders {n}, in Hindi {m}"]],
  ["a count that is lost", { "ward.count": "{total} में से" }, {}, ["has the placeholders {n} {total}, in Hindi {total}"]],
  [
    "a placeholder that is lost in a branch",
    { "ward.age": "{m, plural, one {# मिनट} other {{n} मिनट}}" },
    {},
    ["has the placeholders {n}, in Hindi {m} {n}", "counts {m} in Hindi alone"],
  ],
  [
    "a count of Hindi that English gives as a text",
    { "ward.age": "{n, plural, one {# घंटा} other {# घंटे}}" },
    {},
    ["ward.age counts {n} in Hindi alone"],
  ],
  [
    "English within a branch of Hindi",
    { "ward.count": "{total} में से {n, plural, one {# shown} other {# दिख रहे हैं}}" },
    {},
    ["has words in Latin script in Hindi: shown"],
  ],
  [
    "a category that the language lacks",
    {},
    { "ward.count": "{n, plural, one {# patient} few {# patients} other {# patients}} of {total}" },
    ["ward.count counts n by one, few, other instead of one, other"],
  ],
  ["a count without its last branch", {}, { "ward.count": "{n, plural, one {# patient}} of {total}" }, ["cannot be read: "]],
  ["braces that do not close", { "ward.age": "{n मिनट" }, {}, ["cannot be read in Hindi: "]],
  [
    "a kind of argument that the portal has no type for",
    {},
    { "ward.age": "No data for {n, number} min" },
    ["neither plain nor a count: n"],
  ],
  ["an empty text", { "ward.title": " " }, {}, ["is empty"]],
  ["a message that nothing says", { "ward.old": "पुराना" }, { "ward.old": "Old" }, ["ward.old is not used"]],
])("finds %s", (_, hi, en, expected) => {
  const problems = found(hi, en).join("\n");
  for (const text of expected) expect(problems).toContain(text);
});

it("finds a key that two features have", () => {
  expect(problemsOf({ ward: GOOD, alarms: GOOD }, SOURCES)).toContain("ward.title is defined twice");
});

it("reads every message catalogue of the portal, and finds no problem in them", async () => {
  const catalogues = await readCatalogues();
  expect(Object.keys(catalogues).length).toBeGreaterThan(15);
  expect(problemsOf(catalogues, readSources())).toEqual([]);
});
