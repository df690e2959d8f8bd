/**
 * Reads citations of RFCs: in comments of the sources, in the titles of tests, in the comments of packetdrill scripts.
 *
 *   RFC 9293 3.9.1.2 [MUST-61]     RFC 8985 6.2 step 4     RFC 7323 2.2, 2.3     RFC 2018 4, RFC 2883 4
 *
 * A title within `describe('RFC 2883 4: ...')` may go on with a section (`4.1: ...`), and anywhere with labels of RFC 9293 (`MUST-61: ...`).
 */
import fs from 'node:fs';
import path from 'node:path';

/** One place that cites. `section` is '' for the RFC as a whole; `title` is the test's, or the name of what the comment stands in. */
/** @typedef {{ kind: 'source' | 'test', file: string, line: number, title: string, tests: number, rfc: number, section: string, labels: string[] }} Citation */

const SECTION =
  /(?:appendix [A-Z](?:\.\d+)*|\d{1,2}(?:\.\d{1,2})*(?![\w-]))(?:,? \(?(?:steps? \d+(?:(?: to | and |, )\d+)*|figure \d+|Eq\. \d+))?/y;
const NEXT_SECTION = /(?:, (?=\d{1,2}(?:\.\d{1,2})*(?:[:;,.)\]]|$| to | and ))|(?:,| and| to) (?=\d{1,2}\.\d))/y;
const LABEL = /\b(MUST|SHLD|MAY|REC)-(\d+)\b/g;
const MALFORMED = [
  [/\bRFC[-_]?\d+/g, 'write `RFC 9293`, with a blank'],
  [/\bRFC \d+,? (?:§|section|sect?\.)/gi, 'write the section after the number alone: `RFC 9293 3.4`'],
  [/\b(?:MUST|SHLD|SHOULD|MAY|REC)[ _]\d+\b|\b(?:SHOULD|RECOMMENDED)-\d+/g, 'labels are MUST-1, SHLD-1, MAY-1, REC-1'],
];

/**
 * @param {string} text
 * @returns {{ found: { rfc: number, section: string }[], labels: string[], malformed: string[] }}
 */
export function readText(text) {
  const found = [];
  for (const match of text.matchAll(/\bRFC (\d+)\b/g)) {
    const rfc = Number(match[1]);
    const sections = sectionsAt(text, match.index + match[0].length);
    if (sections.length === 0) sections.push('');
    for (const section of sections) found.push({ rfc, section });
  }
  const labels = [...text.matchAll(LABEL)].map((match) => match[0]);
  const malformed = MALFORMED.flatMap(([pattern, advice]) =>
    [...text.matchAll(pattern)].map((match) => `\`${match[0]}\`: ${advice}`),
  );
  return { found, labels: [...new Set(labels)], malformed };
}

/** The sections named from there on: ` 2.2, 2.3`. */
function sectionsAt(text, from) {
  const sections = [];
  let at = from;
  if (text[at] !== ' ') return sections;
  at++;
  for (;;) {
    SECTION.lastIndex = at;
    const section = SECTION.exec(text)?.[0];
    if (section === undefined) return sections;
    sections.push(section.replace(/,? \(?(step|figure|Eq)/, ' $1'));
    NEXT_SECTION.lastIndex = at + section.length;
    const joint = NEXT_SECTION.exec(text)?.[0];
    if (joint === undefined) return sections;
    at += section.length + joint.length;
  }
}

/**
 * @param {string} root of the project
 * @returns {{ citations: Citation[], titles: { file: string, title: string }[], errors: string[] }}
 */
export function readProject(root) {
  const all = { citations: [], titles: [], errors: [] };
  for (const file of filesUnder(root, 'src', '.ts'))
    addSource(all, file, fs.readFileSync(path.join(root, file), 'utf8'));
  for (const file of filesUnder(root, 'test', '.test.ts'))
    addTests(all, file, fs.readFileSync(path.join(root, file), 'utf8'));
  for (const file of filesUnder(root, 'test', '.pkt'))
    addScript(all, file, fs.readFileSync(path.join(root, file), 'utf8'));
  return all;
}

function filesUnder(root, folder, ending) {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll(path.sep, '/')}`)
    .filter((name) => name.endsWith(ending))
    .sort();
}

function add(all, place, { found, labels, malformed }) {
  for (const what of malformed) all.errors.push(`${place.file}:${place.line}: ${what}`);
  for (const { rfc, section } of found) all.citations.push({ ...place, rfc, section, labels: [] });
  if (labels.length > 0) all.citations.push({ ...place, rfc: 9293, section: '', labels });
}

/** Each run of comment lines is read as one text; what it stands in is the declaration around it, or that which follows. */
export function addSource(all, file, text) {
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; ) {
    const comment = commentAt(lines, i);
    if (comment === undefined) {
      const trailing = /\s\/\/ (.*)$/.exec(lines[i])?.[1];
      if (trailing !== undefined) add(all, sourcePlace(file, lines, i, i), readText(trailing));
      i++;
      continue;
    }
    add(all, sourcePlace(file, lines, i, comment.end), readText(comment.text));
    i = comment.end;
  }
}

function commentAt(lines, start) {
  const words = [];
  let end = start;
  if (/^\s*\/\*/.test(lines[start])) {
    do words.push(lines[end].replace(/^\s*(\/\*\*?|\*(?!\/))?\s?|\s*\*\/\s*$/g, ''));
    while (!lines[end++].includes('*/') && end < lines.length);
  } else {
    while (end < lines.length && /^\s*\/\//.test(lines[end])) words.push(lines[end++].replace(/^\s*\/\/\s?/, ''));
  }
  return end === start ? undefined : { end, text: words.join(' ') };
}

const DECLARATION =
  /^(?<indent> {0,2})(?:export )?(?:default )?(?:abstract )?(?:(?:async )?function\*?|class|interface|type|const|let) (?<name>\w+)|^ {2}(?:static |override |readonly |async |get |set )*(?<member>#?\w+)\s*(?:<[^>]*>)?\([^;]*(?:\{|\($|\()$|^ {2}(?:static |readonly )*(?<field>#?\w+)[?!]?(?::| =)/;

function sourcePlace(file, lines, start, end) {
  return { kind: 'source', file, line: start + 1, title: ownerOf(lines, start, end), tests: 0 };
}

/** `output`, `Interface.flush`; '' for the head of a file. */
function ownerOf(lines, start, end) {
  const indent = /^ */.exec(lines[start])[0].length;
  if (start === 0) return '';
  const next = lines[end] === undefined ? undefined : DECLARATION.exec(lines[end]);
  const outer = () => declarationAbove(lines, start, 0);
  const nameOf = ({ groups }) => groups.name ?? groups.member ?? groups.field;
  if (indent === 0) return next ? nameOf(next) : '';
  const above = outer();
  if (indent === 2 && /^(class|interface)/.test(above.kind)) return next ? `${above.name}.${nameOf(next)}` : above.name;
  if (above.kind !== 'class') return above.name;
  const member = declarationAbove(lines, start, 2);
  return member.name === '' ? above.name : `${above.name}.${member.name}`;
}

function declarationAbove(lines, from, indent) {
  for (let i = from - 1; i >= 0; i--) {
    const line = lines[i];
    if (indent === 0) {
      const match =
        /^(?:export )?(?:default )?(?:abstract )?(?:async )?(function\*?|class|interface|type|const|let) (\w+)/.exec(
          line,
        );
      if (match !== null) return { kind: match[1], name: match[2] };
    } else {
      const match = /^ {2}(?:static |override |async |get |set )*(#?\w+)\s*(?:<[^>]*>)?\(.*[{(]$/.exec(line);
      if (match !== null) return { kind: 'member', name: match[1] };
    }
  }
  return { kind: '', name: '' };
}

const TITLE =
  /^(?<indent> *)(?:\(.*\? it\w* : it[\w.]*\)|(?<what>describe|it)(?:[A-Z]\w*)?(?:\('[^']*'\))?(?:\.\w+)?)\(\s*(?:'(?<a>(?:[^'\\]|\\.)*)'|"(?<b>(?:[^"\\]|\\.)*)"|`(?<c>(?:[^`\\]|\\.)*)`)/gm;
/** `4.1: ...`, `2.4, as Linux reads it: ...`, `5.5, 5.6: ...` within a describe about an RFC. */
const REFINED = /^\(?(\d{1,2}(?:\.\d{1,2})*)\)?((?:, \d{1,2}(?:\.\d{1,2})*)*)[,:)]/;

/** A file of tests: titles, by their indentation within each other. */
export function addTests(all, file, text) {
  /** @type {{ indent: number, what: string, title: string, rfc: number | undefined, places: Citation[] }[]} */
  const open = [];
  for (const { index, groups } of text.matchAll(TITLE)) {
    const line = text.slice(0, index).split('\n').length;
    const what = groups.what ?? 'it';
    const indent = groups.indent.length;
    const title = plain(groups.a ?? groups.b ?? groups.c);
    while (open.length > 0 && open.at(-1).indent >= indent) open.pop();
    const context = open.findLast(({ rfc }) => rfc !== undefined)?.rfc;
    const place = { kind: 'test', file, line, title, tests: what === 'it' ? 1 : 0 };
    all.titles.push({ file, title });
    if (what === 'it')
      for (const one of open) if (one.what === 'describe') for (const citation of one.places) citation.tests++;
    const read = readText(title);
    const refined = REFINED.exec(title);
    // In RFC 9293 a bare number is an item of a list: (3).
    const section = refined !== null && (context !== 9293 || refined[1].includes('.'));
    if (context !== undefined && section && read.found.length === 0) {
      for (const section of [refined[1], ...refined[2].split(', ').slice(1)])
        read.found.push({ rfc: context, section });
    }
    const before = all.citations.length;
    add(all, place, read);
    open.push({ indent, what, title, rfc: read.found[0]?.rfc, places: all.citations.slice(before) });
  }
}

function plain(quoted) {
  return quoted.replace(/\\(.)/g, '$1').replace(/\$\{[^}]*\}/g, '…');
}

/** A packetdrill script is one test; its comments are its title. */
export function addScript(all, file, text) {
  const comments = [...text.matchAll(/^\s*\/\/ ?(.*)$/gm)].map((match) => match[1]);
  const title = comments.join(' ');
  all.titles.push({ file, title });
  add(all, { kind: 'test', file, line: 1, title: '', tests: 1 }, readText(title));
}
