/** `npm run clean`: removes what the other commands make, but for node_modules. */
import fs from 'node:fs';
import path from 'node:path';
import { root } from './setup.mjs';

for (const name of ['dist', 'coverage', '.cache']) fs.rmSync(path.join(root, name), { recursive: true, force: true });
