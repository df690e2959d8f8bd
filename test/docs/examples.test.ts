/** The examples of README.md and docs/*.md: all of them compile against the package, and those that say what they print, print it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Inside the package, so that `tunstack` names it. */
const folder = join(root, 'dist', 'document-examples');

interface Example {
  readonly title: string;
  readonly file: string;
  readonly code: string;
  /** What the comments `// prints: ...` promise. */
  readonly prints: string[];
}

function examplesOf(document: string): Example[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match, index) => {
    const code = match[1] as string;
    const line = text.slice(0, match.index).split('\n').length;
    const file = `${document.replaceAll(/[/.]/g, '-')}-${index}.ts`;
    const prints = [...code.matchAll(/\/\/ prints: (.*)$/gm)].map((printed) => printed[1] as string);
    return { title: `${document}:${line}`, file, code, prints };
  });
}

const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);
const examples = documents.flatMap(examplesOf);

describe('examples in the documents', () => {
  before(function () {
    this.timeout(60_000);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const { file, code } of examples) writeFileSync(join(folder, file), `${code}\nexport {};\n`);
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: {
        rootDir: '.',
        outDir: 'out',
        noUnusedLocals: false,
        incremental: false,
        tsBuildInfoFile: null,
      },
      include: ['*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    try {
      execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    } catch (error) {
      throw new Error(`an example does not compile:\n${(error as { stdout: string }).stdout}`);
    }
  });

  it('are there', () => {
    expect(examples.filter(({ title }) => title.startsWith('README.md'))).to.have.length.at.least(2);
    expect(examples.flatMap(({ prints }) => prints)).to.not.be.empty;
  });

  for (const { title, file, prints } of examples) {
    if (prints.length === 0) continue;
    it(`${title} prints what it says`, () => {
      const out = execFileSync(process.execPath, [join(folder, 'out', file.replace(/\.ts$/, '.js'))], {
        encoding: 'utf8',
        timeout: 10_000,
      });
      expect(out.trimEnd().split('\n')).to.deep.equal(prints);
    }).timeout(15_000);
  }
});
