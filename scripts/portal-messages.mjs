// The portal's catalogues: a chunk of each language for its build, and `npm run check:messages`: both are complete, Hindi texts are in
// Hindi, and every message is used.
import { globSync, readFileSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { IntlMessageFormat } from "intl-messageformat";

const SOURCE = "portal/src";

/** Names, units and abbreviations that are the same in Hindi. A text of only these may be equal in both languages. */
const ALLOWED_LATIN_WORDS = new Set(
  (
    "EdgeCare API PDF JPEG PNG DOCX QR URL CSV FHIR LOINC IANA UTC IST SpO CO HR RR BP MAP NEWS ECG CPAP BiPAP SHA JSON UID RCP ACVPU " +
    "QT QTc QRS PR ms mm mmHg kPa bpm min cm kg mg dL mmol L h s d Hz MB KB KiB MiB Ctrl Alt Shift K A M C V P U F O " +
    "AHI EPAP IPAP cmH T FiO D R KV IP Bazett Fridericia iPhone iPad"
  ).split(" "),
);

/** Text that a user has to type, by the message that shows it. */
const EXAMPLES = {
  "audit.action_hint": ["report", "download"],
  "consents.code_shape": ["A", "Z"],
  "hospitals.country_hint": ["IN"],
  "hospitals.time_zone_hint": ["Asia", "Kolkata"],
  "me.claim.hint": ["MFRG", "GZDF", "MZTW"],
  "me.claim.shape": ["A", "Z"],
  "notify.time_zone_hint": ["Asia", "Kolkata"],
  "notify.time_zone_shape": ["Asia", "Kolkata"],
  "practitioners.languages_hint": ["en", "hi", "mr", "IN"],
  "session.username_shape": ["a", "z"],
  "users.username_hint": ["a", "z"],
};

/**
 * A text in ICU syntax, taken apart.
 * @returns the words of all branches, and the names of placeholders and of counts in braces; or why it cannot be read
 */
function parseText(text, language) {
  try {
    const parts = new IntlMessageFormat(text, language, undefined, { ignoreTag: true }).getAst();
    return { ...collectParts(parts, new Intl.PluralRules(language).resolvedOptions().pluralCategories), error: null };
  } catch (error) {
    return { words: text, names: [], counts: [], problems: [], error: error.message };
  }
}

function collectParts(parts, categories) {
  const found = { words: "", names: [], counts: [], problems: [] };
  for (const part of parts) {
    if (part.options === undefined) {
      // An argument has a value and no options; of the library's kinds a literal is 0, an argument 1, and `#` 7.
      if (part.type === 0) found.words += part.value;
      else if (part.type === 1) found.names.push(`{${part.value}}`);
      else if (part.type !== 7) found.problems.push(`has an argument that is neither plain nor a count: ${part.value}`);
      if (part.type !== 0) found.words += " ";
      continue;
    }
    if (part.pluralType !== "cardinal") found.problems.push(`has an argument that is neither plain nor a count: ${part.value}`);
    found.names.push(`{${part.value}}`);
    found.counts.push(`{${part.value}}`);
    const branches = Object.keys(part.options);
    // A language whose words do not change needs the last one alone.
    if (branches.join() !== "other" && branches.toSorted().join() !== categories.toSorted().join())
      found.problems.push(`counts ${part.value} by ${branches.join(", ")} instead of ${categories.join(", ")}`);
    for (const { value } of Object.values(part.options)) {
      const branch = collectParts(value, categories);
      found.words += ` ${branch.words} `;
      found.names.push(...branch.names);
      found.counts.push(...branch.counts);
      found.problems.push(...branch.problems);
    }
  }
  return found;
}

const latinWords = ({ words }) => words.match(/\p{Script=Latin}+/gu) ?? [];
const listNames = (names) => [...new Set(names)].sort().join(" ");

/** @returns the faults of one message that has both texts */
function checkMessage(key, en, hi) {
  const english = parseText(en, "en");
  const hindi = parseText(hi, "hi");
  const foreign = latinWords(hindi).filter((word) => !ALLOWED_LATIN_WORDS.has(word) && !EXAMPLES[key]?.includes(word));
  const hasLetters = /\p{L}/u.test(english.words);
  const onlyLatin = latinWords(english).every((word) => ALLOWED_LATIN_WORDS.has(word));
  const [names, hindiNames] = [listNames(english.names), listNames(hindi.names)];
  // The types of what is filled in come from the English text: what is no count there may be given as a text.
  const uncounted = hindi.counts.filter((name) => !english.counts.includes(name));
  return [
    ...(en.trim() === "" || hi.trim() === "" ? ["is empty"] : []),
    ...(english.error ? [`cannot be read: ${english.error}`] : english.problems),
    ...(hindi.error ? [`cannot be read in Hindi: ${hindi.error}`] : hindi.problems.map((problem) => `${problem}, in Hindi`)),
    ...(names === hindiNames ? [] : [`has the placeholders ${names || "none"}, in Hindi ${hindiNames || "none"}`]),
    ...(uncounted.length > 0 ? [`counts ${listNames(uncounted)} in Hindi alone`] : []),
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
  // Read again after a change: the server of `npm run dev` outlives many.
  const addressOf = (file) => `${pathToFileURL(resolve(file)).href}?${statSync(file).mtimeMs}`;
  const modules = await Promise.all(files.map((file) => import(addressOf(file))));
  const found = modules.flatMap((module, i) =>
    Object.values(module)
      .filter((value) => typeof value === "object" && value !== null && "en" in value && "hi" in value)
      .map((value) => [relative(folder, files[i] ?? ""), value]),
  );
  return Object.fromEntries(found);
}

/**
 * Vite plugin: `virtual:messages/en` and `virtual:messages/hi` have all messages of one language by their keys.
 * @param {string} folder the portal's sources
 */
export function messageCatalogues(folder) {
  const NAME = "virtual:messages/";
  return {
    name: "message-catalogues",
    resolveId: (id) => (id.startsWith(NAME) ? `\0${id}` : undefined),
    async load(id) {
      if (!id.startsWith(`\0${NAME}`)) return undefined;
      const language = id.slice(NAME.length + 1);
      const catalogues = await readCatalogues(folder);
      for (const file of Object.keys(catalogues)) this.addWatchFile(resolve(folder, file));
      return `export default ${JSON.stringify(Object.assign({}, ...Object.values(catalogues).map((all) => all[language])))};`;
    },
  };
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
