/** What `npm run rfc` makes of citations: scripts/rfc-citations.mjs. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { projectRoot } from '../architecture/files.ts';

interface Citation {
  readonly kind: string;
  readonly title: string;
  readonly tests: number;
  readonly rfc: number;
  readonly section: string;
  readonly labels: string[];
}

interface Project {
  citations: Citation[];
  titles: { file: string; title: string }[];
  errors: string[];
}

interface Reader {
  readText(text: string): { found: { rfc: number; section: string }[]; labels: string[]; malformed: string[] };
  addSource(all: Project, file: string, text: string): void;
  addTests(all: Project, file: string, text: string): void;
  addScript(all: Project, file: string, text: string): void;
}

const { readText, addSource, addTests, addScript } = (await import(
  pathToFileURL(join(projectRoot, 'scripts', 'rfc-citations.mjs')).href
)) as Reader;

/** `9293 3.4`, one each. */
function sections(text: string): string[] {
  return readText(text).found.map(({ rfc, section }) => `${rfc} ${section}`.trim());
}

function read(add: Reader['addSource'], text: string): { cited: string[]; errors: string[] } {
  const all: Project = { citations: [], titles: [], errors: [] };
  add(all, 'a.ts', text);
  const cited = all.citations.map(({ title, tests, rfc, section, labels }) => {
    const what = labels.length > 0 ? labels.join(' ') : `${rfc} ${section}`.trim();
    return `${title}: ${what}${tests > 0 ? ` (${tests})` : ''}`;
  });
  return { cited, errors: all.errors };
}

describe('citations of RFCs', () => {
  for (const [text, expected] of [
    ['RFC 9293 3.9.1.2 [MUST-61]: PSH', ['9293 3.9.1.2']],
    ['RFC 8985 6.2 step 4: the window', ['8985 6.2 step 4']],
    ['RFC 8985 6.2, steps 2 to 4: the window', ['8985 6.2 steps 2 to 4']],
    ['RFC 5681 3.2 steps 1 and 4, RFC 3042.', ['5681 3.2 steps 1 and 4', '3042']],
    ['RFC 7323 2.2, 2.3; RFC 1122 4.2.3.9', ['7323 2.2', '7323 2.3', '1122 4.2.3.9']],
    ['RFC 9293 3.10.1 to 3.10.6: OPEN', ['9293 3.10.1', '9293 3.10.6']],
    ['RFC 2018 3, 4: what', ['2018 3', '2018 4']],
    ['RFC 7323 appendix A: nops', ['7323 appendix A']],
    ['RFC 8312 4.1, Eq. 2', ['8312 4.1 Eq. 2']],
    ['RFC 6298, with Linux bounds', ['6298']],
    ['RFC 9293 leaves 28 bytes', ['9293']],
    ['RFC 792: 8 bytes', ['792']],
    ['no citation of 9293', []],
  ] as const) {
    it(`reads \`${text}\``, () => expect(sections(text)).to.deep.equal(expected));
  }

  for (const text of [
    'RFC9293 3.4',
    'RFC 9293 section 3.4',
    'RFC 9293, §3.4',
    'see MUST 61',
    '[SHOULD-4]',
    'RFC-793',
  ]) {
    it(`calls \`${text}\` malformed`, () => expect(readText(text).malformed).to.have.length(1));
  }

  it('stand in functions, methods, fields, or at the head of a file', () => {
    const text = [
      '/** RFC 768. */',
      '/** RFC 791 3.1: a header. */',
      'export function header(): void {',
      '  // RFC 792: over',
      '  // two lines [MUST-3].',
      '  call();',
      '}',
      'export class Thing {',
      '  /** RFC 6298: microseconds. */',
      '  rto = 0;',
      '  method(a: number): void {',
      '    if (a) return; // RFC 826',
      '  }',
      '}',
    ].join('\n');
    expect(read(addSource, text).cited).to.deep.equal([
      ': 768',
      'header: 791 3.1',
      'header: 792',
      'header: MUST-3',
      'Thing.rto: 6298',
      'Thing.method: 826',
    ]);
  });

  it('in titles hold for what is within', () => {
    const text = [
      "describe('RFC 2883 4: D-SACK', () => {",
      "  it('4.1: one block', () => {});",
      "  it('MUST-5: any segment', () => {});",
      '  for (const x of y) {',
      '    it(`plain $' + '{x}`, () => {});',
      '  }',
      '});',
      "describe('another', () => {",
      "  it('4.1: not of an RFC', () => {});",
      '  (root ? it : it.skip)("RFC 826: perhaps", () => {});',
      '  (wide ? itIpv4 : it)(',
      '    `MUST-67: on a line of its own`,',
      '    () => {});',
      '  itIpv4("RFC 791 3.1: of one family", () => {});',
      "  itWith('curl')('RFC 6298: with a tool', () => {});",
      '  const text = "it(\'RFC 791: quoted\')";',
      '});',
    ].join('\n');
    expect(read(addTests, text).cited).to.deep.equal([
      'RFC 2883 4: D-SACK: 2883 4 (3)',
      '4.1: one block: 2883 4.1 (1)',
      'MUST-5: any segment: MUST-5 (1)',
      'RFC 826: perhaps: 826 (1)',
      'MUST-67: on a line of its own: MUST-67 (1)',
      'RFC 791 3.1: of one family: 791 3.1 (1)',
      'RFC 6298: with a tool: 6298 (1)',
    ]);
  });

  it('in the comments of a script', () => {
    expect(read(addScript, '// RFC 7413 4.1.2: a cookie\n0 close(3) = 0\n').cited).to.deep.equal([': 7413 4.1.2 (1)']);
  });

  it('that are malformed are errors with their place', () => {
    expect(read(addSource, '\n// RFC9293 3.4\nlet a;').errors[0]).to.match(/^a\.ts:2: `RFC9293`: write/);
  });
});
