/** The ladder of one connection. */
import type { Flow } from './flow.ts';
import type { Lab } from './lab.ts';
import { formatLadder } from './ladder.ts';

/** Lines without line ends: the other end on the left, tunstack on the right. */
export function ladderOf(flow: Flow, { peer, screen }: Pick<Lab, 'peer' | 'screen'>, color = screen.color): string[] {
  const names = { left: `${peer.name} ${flow.remote}`, right: `tunstack ${flow.local}` };
  const lines = formatLadder(flow.packets, { ...names, host: 'right', color })
    .trimEnd()
    .split('\n');
  return flow.unkept === 0 ? lines : [...lines, `... and ${flow.unkept} packets more`];
}
