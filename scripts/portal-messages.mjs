// `npm run check:messages`: both portal catalogues are complete, Hindi texts are in Hindi, and every message is used.
import { globSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const SOURCE = "portal/src";

/** Names, units and abbreviations that are the same in Hindi. A text of only these may be equal in both languages. */
const ALLOWED_LATIN_WORDS = new Set(
  (
    "EdgeCare API PDF QR URL CSV FHIR LOINC IANA UTC IST SpO CO HR RR BP MAP NEWS ECG CPAP BiPAP SHA JSON UID RCP ACVPU " +
    "QT QTc QRS PR ms mm mmHg kPa bpm min cm kg mg dL mmol L h s d Hz MB KB KiB MiB Ctrl Alt Shift K A M C V P U F O " +
    "AHI EPAP IPAP cmH T FiO D R KV IP Bazett Fridericia"
  ).split(" "),
);

/** Text that a user has to type, by the message that shows it. */
const EXAMPLES = {
  "audit.action_hint": ["report", "download"],
  "hospitals.time_zone_hint": ["Asia", "Kolkata"],
  "me.claim.hint": ["MFRG", "GZDF", "MZTW"],
  "me.claim.shape": ["A", "Z"],
  "practitioners.languages_hint": ["en", "hi", "mr", "IN"],
  "session.username_shape": ["a", "z"],
  "users.username_hint": ["a", "z"],
};

const removePlaceholders = (text) => text.replace(/\{\w+\}/g, " ");
const latinWords = (text) => removePlaceholders(text).match(/\p{Script=Latin}+/gu) ?? [];
const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join(" ");

/** @returns the faults of one message that has both texts */
function checkMessage(key, en, hi) {
  const foreign = latinWords(hi).filter((word) => !ALLOWED_LATIN_WORDS.has(word) && !EXAMPLES[key]?.includes(word));
  const hasLetters = /\p{L}/u.test(removePlaceholders(en));
  const onlyLatin = latinWords(en).every((word) => ALLOWED_LATIN_WORDS.has(word));
  return [
    ...(en.trim() === "" || hi.trim() === "" ? ["is empty"] : []),
    ...(placeholders(en) === placeholders(hi)
      ? []
      : [`has the placeholders ${placeholders(en) || "none"}, in Hindi ${placeholders(hi) || "none"}`]),
    ...(en === hi && hasLetters && !onlyLatin ? ["is the same in Hindi"] : []),
    ...(foreign.length > 0 ? [`has words in Latin script in Hindi: ${foreign.join(", ")}`] : []),
    ...(hasLetters && !onlyLatin && !/\p{Script=Devanagari}/u.test(hi) ? ["has no Devanagari in Hindi"] : []),
  ];
}

/** Complete keys in a source, and the prefixes of keys that it builds from data. */
function findUsedKeys(source) {
  const whole = [...source.matchAll(/["'`]([a-z]\w*(?:\.[\w-]+)+)["'`]/g)].map(([, key]) => key);
  const prefixes = [
    ...[...source.matchAll(/["'`]([a-z]\w*(?:\.\w+)*\.)\$\{|`([a-z]\w*(?:\.\w+)*[._])\$\{/g)].map(([, a, b]) => a ?? b),
    ...[...source.matchAll(/translateCode\(\s*["'`]([\w.]+)["'`]/g)].map(([, prefix]) => `${prefix}.`),
  ];
  return { whole, made: prefixes };
}

/**
 * @param {Record<string, {en: Record<string, string>, hi: Record<string, string>}>} catalogues by feature name
 * @param {readonly string[]} sources every portal file except the catalogues
 * @returns {string[]} one message per fault
 */
export function problemsOf(catalogues, sources) {
  const usedKeys = sources.map(findUsedKeys);
  const whole = new Set(usedKeys.flatMap(({ whole }) => whole));
  const prefixes = usedKeys.flatMap(({ made: prefixes }) => prefixes);
  const isUsed = (key) => whole.has(key) || prefixes.some((prefix) => key.startsWith(prefix));
  const keys = Object.values(catalogues).flatMap(({ en, hi }) => [...new Set([...Object.keys(en), ...Object.keys(hi)])]);
  const duplicates = keys.filter((key, i) => keys.indexOf(key) !== i);
  const checkCatalogue = ({ en, hi }) =>
    [...new Set([...Object.keys(en), ...Object.keys(hi)])].flatMap((key) => {
      if (en[key] === undefined) return [`${key} is missing in English`];
      if (hi[key] === undefined) return [`${key} is missing in Hindi`];
      return [...checkMessage(key, en[key], hi[key]), ...(isUsed(key) ? [] : ["is not used"])].map((what) => `${key} ${what}`);
    });
  return [...Object.values(catalogues).flatMap(checkCatalogue), ...duplicates.map((key) => `${key} is defined twice`)];
}

/** Loads the portal's catalogues; nothing else of the portal is executed. */
export async function readCatalogues(folder = SOURCE) {
  const files = globSync(`${folder}/**/{messages,messages/common}.ts`).sort();
  const modules = await Promise.all(files.map((file) => import(pathToFileURL(resolve(file)).href)));
  const found = modules.flatMap((module, i) =>
    Object.values(module)
      .filter((value) => typeof value === "object" && value !== null && "en" in value && "hi" in value)
      .map((value) => [relative(folder, files[i] ?? ""), value]),
  );
  return Object.fromEntries(found);
}

export function readSources(folder = SOURCE) {
  const isCatalogue = (file) => /(\/messages|messages\/common)\.ts$/.test(file);
  return globSync(`${folder}/**/*.{ts,tsx}`)
    .filter((file) => !isCatalogue(file))
    .map((file) => readFileSync(file, "utf8"));
}

if (import.meta.main) {
  const catalogues = await readCatalogues();
  const problems = problemsOf(catalogues, readSources());
  const count = Object.values(catalogues).reduce((sum, { en }) => sum + Object.keys(en).length, 0);
  if (problems.length > 0) {
    console.error(problems.join("\n"));
    console.error(`${problems.length} problems in ${count} messages of the portal`);
    process.exit(1);
  }
  console.log(`${count} messages of the portal in English and Hindi`);
}
