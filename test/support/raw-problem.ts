/** Why raw sockets cannot be tested here; undefined: they can. */
import { createRequire } from 'node:module';
import { namespaceProblem } from './namespace.ts';
import { vethProblem } from './veth.ts';

export function rawProblem(): string | undefined {
  try {
    createRequire(import.meta.url)('raw-socket');
  } catch (error) {
    return `raw-socket cannot be loaded (${(error as Error).message.split('\n', 1)[0]})`;
  }
  return namespaceProblem ?? vethProblem();
}
