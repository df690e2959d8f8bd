/** Our own scripts: test/packetdrill/<topic>/*.pkt, one test each. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { formatLadder } from '../../src/lab/ladder.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { runPacketdrill } from '../../src/packetdrill/run.ts';
import { filesUnder, projectRoot } from '../architecture/files.ts';

const scripts = filesUnder('test/packetdrill').filter((path) => path.endsWith('.pkt'));

describe('packetdrill scripts', () => {
  for (const topic of new Set(scripts.map((path) => dirname(path)))) {
    describe(basename(topic), () => {
      for (const path of scripts.filter((each) => dirname(each) === topic)) {
        it(basename(path, '.pkt'), () => plays(path));
      }
    });
  }
});

function plays(path: string): void {
  const result = runPacketdrill(readFileSync(join(projectRoot, path), 'utf8'), { name: path, hasher: nodeHasher });
  if (result.status !== 'pass') {
    const ladder = formatLadder(result.packets, { left: 'tunstack', right: 'script' });
    throw new Error(`${result.status}: ${result.message}\n${ladder}`);
  }
  if (result.leaked !== 0) throw new Error(`${result.leaked} chunk(s) of memory were not given back`);
}
