/**
 * `npm run size`: what the core weighs in a page. Bundles it as a browser would get it, and says how large that is: minified, and compressed as servers
 * send it. Ends with a status other than 0 when a bundle is over its budget, or needs anything of Node.js.
 */
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { command, root, setup } from './setup.mjs';

/** Budgets in bytes after gzip. Who needs more says why in the commit that raises them. */
const BUNDLES = [
  ['two hosts and a pipe', "export { createHost, createPipe } from './index.js';", 135_000],
  ['everything of tunstack', "export * from './index.js';", 190_000],
  ['tunstack/web', "export * from './web.js';", 6_000],
];

const bytes = (count) => count.toLocaleString('en').padStart(9);

await command(async () => {
  setup();
  console.log(`${'bundle'.padEnd(24)}  minified      gzip    brotli    budget (gzip)`);
  for (const [name, contents, budget] of BUNDLES) {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: path.join(root, 'dist', 'src'), loader: 'js' },
      bundle: true,
      minify: true,
      format: 'esm',
      // Without Node.js's modules: an import of one is an error.
      platform: 'browser',
      write: false,
    });
    const code = outputFiles[0].contents;
    const zipped = gzipSync(code, { level: 9 }).length;
    const brotli = brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
    const over = zipped > budget;
    console.log(
      `${name.padEnd(24)} ${bytes(code.length)} ${bytes(zipped)} ${bytes(brotli)} ${bytes(budget)}${over ? '  OVER' : ''}`,
    );
    if (over) process.exitCode = 1;
  }
});
