// Check that the portal's styles use logical properties only, or rewrite them with --write.
// Physical sides (`left`, `margin-left`) do not turn around in languages written from right to left.
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SIDES = { left: "inline-start", right: "inline-end", top: "block-start", bottom: "block-end" };
const CORNERS = { "top-left": "start-start", "top-right": "start-end", "bottom-left": "end-start", "bottom-right": "end-end" };
const DECLARATION = /(?<=[;{}\s]|\*\/|^)([a-z-]+)(\s*:\s*)([^;{}]+)(?=[;}])/g;
const FOUR_SIDED = /^(?:margin|padding|inset|scroll-margin|scroll-padding|border-(?:width|style|color))$/;
const INLINE_STYLE = /\bstyle=\{\{([\s\S]*?)\}\}/g;
const INLINE_PHYSICAL =
  /\b(?:(?:margin|padding|border|scrollMargin|scrollPadding)(?:Left|Right|Top|Bottom)[A-Za-z]*|left|right|top|bottom|float|clear)\s*:|\btextAlign\s*:\s*["'](?:left|right)["']/g;
const PHYSICAL_PROP = /\s(?:ml|mr|pl|pr)=|\sta="(?:left|right)"/g;

/** The logical name of a CSS property, or the name itself if it names no physical side. */
export function logicalProperty(name) {
  if (name in SIDES) return `inset-${SIDES[name]}`;
  const corner = /^border-(top|bottom)-(left|right)-radius$/.exec(name);
  if (corner) return `border-${CORNERS[`${corner[1]}-${corner[2]}`]}-radius`;
  const side = /^(margin|padding|border|scroll-margin|scroll-padding)-(left|right|top|bottom)(-(?:color|style|width))?$/.exec(
    name,
  );
  return side ? `${side[1]}-${SIDES[side[2]]}${side[3] ?? ""}` : name;
}

function logicalValue(name, value) {
  if (!/^(?:text-align|float|clear)$/.test(name)) return value;
  const [start, end] = name === "text-align" ? ["start", "end"] : ["inline-start", "inline-end"];
  return value.replace(/^left\b/, start).replace(/^right\b/, end);
}

/** `css` with each physical declaration replaced by its logical twin; comments stay as they are. */
export function toLogical(css) {
  return css
    .split(/(\/\*[\s\S]*?\*\/)/)
    .map((part) =>
      part.startsWith("/*")
        ? part
        : part.replace(DECLARATION, (_, name, colon, value) => logicalProperty(name) + colon + logicalValue(name, value)),
    )
    .join("");
}

function withoutComments(css) {
  return css.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
}

function hasDifferentSides(name, value) {
  const parts = value.replace(/\s*!important$/, "").match(/(?:[^\s(]|\((?:[^()]|\([^()]*\))*\))+/g) ?? [];
  return FOUR_SIDED.test(name) && parts.length === 4 && parts[1] !== parts[3];
}

function lineAt(text, index) {
  return text.slice(0, index).split("\n").length;
}

/** Physical declarations of a style sheet, as `{ line, text }`. */
export function physicalInCss(source) {
  const css = withoutComments(source);
  return [...css.matchAll(DECLARATION)]
    .filter(
      ([, name, , value]) =>
        logicalProperty(name) !== name || logicalValue(name, value) !== value || hasDifferentSides(name, value.trim()),
    )
    .map((match) => ({ line: lineAt(css, match.index), text: match[0] }));
}

/** Physical inline styles and style props of a component, as `{ line, text }`. */
export function physicalInTsx(source) {
  const styles = [...source.matchAll(INLINE_STYLE)].flatMap((style) =>
    [...style[1].matchAll(INLINE_PHYSICAL)].map((match) => ({
      index: style.index + style[0].indexOf(style[1]) + match.index,
      text: match[0],
    })),
  );
  const props = [...source.matchAll(PHYSICAL_PROP)].map((match) => ({ index: match.index + 1, text: match[0].trim() }));
  return [...styles, ...props].map(({ index, text }) => ({ line: lineAt(source, index), text }));
}

function main(write) {
  const sheets = globSync("portal/{src,public}/**/*.css");
  for (const file of write ? sheets : []) writeFileSync(file, toLogical(readFileSync(file, "utf8")));
  const findings = [
    ...sheets.flatMap((file) => physicalInCss(readFileSync(file, "utf8")).map((found) => ({ file, ...found }))),
    ...globSync("portal/src/**/*.tsx").flatMap((file) =>
      physicalInTsx(readFileSync(file, "utf8")).map((found) => ({ file, ...found })),
    ),
  ];
  for (const { file, line, text } of findings) console.error(`${file}:${line}: physical side in "${text}"`);
  if (findings.length === 0) return;
  console.error("Use logical properties: node scripts/logical-css.mjs --write rewrites style sheets.");
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.includes("--write"));
