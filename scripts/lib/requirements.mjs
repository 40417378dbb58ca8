// Checks of docs/requirements.md: item numbers, states, and the tests that it names.

/** Items of each replaced system. */
export const ITEM_COUNTS = { E: 50, C: 48, M: 42, D: 61, S: 59 };

const TITLE = /(?:\b(?:it|test|describe)(?:\.\w+)*|\))\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;

/** @returns {string[]} the titles of tests and blocks in a test file, as they stand in its source */
export const readTitles = (source) => [...source.matchAll(TITLE)].map(([, , title]) => title.replace(/\\(.)/g, "$1"));

/** @returns {{code: string, state: string, tests: {file: string, title: string}[]}[]} the rows of the page in its order */
export function readItems(markdown) {
  return [...markdown.matchAll(/^\| ([A-Z]\d+) +\| (.*) \|$/gm)].map(([, code, rest]) => {
    const [, state = "", names = ""] = rest.split(/ \| ?/);
    const tests = [...names.matchAll(/`([^`]+?) › ([^`]+)`/g)].map(([, file, title]) => ({ file, title }));
    return { code, state: state.trim(), tests };
  });
}

function checkState({ code, state, tests }) {
  const [, name, reason] = /^(built|planned|partly|does not apply)(?:: (.+))?$/.exec(state) ?? [];
  if (name === undefined) return [`${code}: "${state}" is no state; use built, partly: …, planned or does not apply: …`];
  if (name === "built" && tests.length === 0) return [`${code} is built but names no test`];
  if ((name === "partly" || name === "does not apply") && reason === undefined) return [`${code}: "${name}" needs a reason`];
  if (name === "planned" && tests.length > 0) return [`${code} is planned but names a test`];
  return [];
}

/**
 * @param {string} markdown text of docs/requirements.md
 * @param {(file: string) => string | null} readTest source of a test file, null if there is none
 * @returns {string[]} one sentence per problem
 */
export function findProblems(markdown, readTest) {
  const items = readItems(markdown);
  const found = items.map(({ code }) => code);
  const expected = Object.entries(ITEM_COUNTS).flatMap(([system, count]) =>
    Array.from({ length: count }, (_, i) => `${system}${i + 1}`),
  );
  const titles = new Map();
  const titlesOf = (file) => {
    if (!titles.has(file)) {
      const source = file.startsWith("test/") ? readTest(file) : null;
      titles.set(file, source === null ? null : readTitles(source));
    }
    return titles.get(file);
  };
  return [
    ...expected.filter((code) => !found.includes(code)).map((code) => `${code} is missing`),
    ...found.filter((code, i) => found.indexOf(code) !== i).map((code) => `${code} is there twice`),
    ...found.filter((code) => !expected.includes(code)).map((code) => `${code} is no item of the replaced systems`),
    ...items.flatMap(checkState),
    ...items.flatMap(({ code, tests }) =>
      tests.flatMap(({ file, title }) => {
        const known = titlesOf(file);
        if (known === null) return [`${code} names ${file}, which does not exist`];
        return known.some((text) => text.includes(title)) ? [] : [`${code}: ${file} has no test titled "${title}"`];
      }),
    ),
  ];
}
