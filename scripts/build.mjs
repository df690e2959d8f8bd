/** `npm run build`, and what npm runs before it packs: everything fresh in dist/, or a failure that says why. */
import fs from 'node:fs';
import { command, setup, tool } from './setup.mjs';

await command(() => {
  // npm ci, begun by setup() itself, runs `prepare` at its end: the compiling comes after it anyway.
  if (process.env.TUNSTACK_SETUP !== undefined) return;
  const installing = ['ci', 'install', 'update'].includes(process.env.npm_command);
  // `npm ci --omit=dev` has no compiler, and wants none.
  if (installing && !fs.existsSync(tool('typescript/bin/tsc'))) return;
  setup({ install: !installing });
});
