/** What ecn.test.ts plays in a network namespace of its own: what the two sides agree on, and what they do about marks. */
import { dissect } from '../../src/lab/dissect.ts';
import { captured } from '../../src/link/captured.ts';
import type { Link } from '../../src/link/link.ts';
import { aceOf, CE, NOT_ECT } from '../../src/wire/ecn.ts';
import { ACK, CWR, ECE, SYN } from '../../src/wire/tcp.ts';
import { bothWays } from './both-ways.ts';
import { type GroundOptions, OURS, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

/** What one side sent, as the capture has it. */
class Side {
  /** AE, CWR, ECE of its SYN or SYN-ACK. */
  syn = -1;
  /** Segments with data, and of those ECN-capable ones (marked or not); other segments that are. */
  data = 0;
  capableData = 0;
  capableOthers = 0;
  marked = 0;
  echoes = 0;
  reductions = 0;
  /** CWR where there is no data. */
  emptyReductions = 0;
}

class EcnSeen {
  readonly ours = new Side();
  readonly kernels = new Side();

  readonly note = (bytes: Uint8Array): void => {
    const found = dissect(bytes);
    const { ip, tcp } = found;
    if (ip === undefined || tcp === undefined) return;
    const side = ip.source === OURS ? this.ours : this.kernels;
    const ecn = (bytes[1] as number) & 3;
    if ((tcp.flags & SYN) !== 0) {
      side.syn = aceOf(tcp.flags);
      return;
    }
    if ((tcp.flags & ACK) === 0) return;
    const length = found.payload?.length ?? 0;
    if (length > 0) side.data++;
    if (length > 0 && ecn !== NOT_ECT) side.capableData++;
    if (length === 0 && ecn !== NOT_ECT) side.capableOthers++;
    if (ecn === CE) side.marked++;
    if ((tcp.flags & ECE) !== 0) side.echoes++;
    if ((tcp.flags & CWR) !== 0) side.reductions++;
    if ((tcp.flags & CWR) !== 0 && length === 0) side.emptyReductions++;
  };
}

/** @param size bytes that go each way at once */
export function marks(options: GroundOptions, dialler: 'kernel' | 'tunstack', size: number) {
  const seen = new EcnSeen();
  const wrap = (link: Link) => captured(link, { onPacket: seen.note });
  return onGround({ ...options, wrap }, async (ground) => {
    const plan = { bytes: size, hash: true };
    const [ours, kernels] = await ground.within(15_000, 'both ways', bothWays(ground, dialler, plan));
    return { ours, kernels, seen: { ours: { ...seen.ours }, kernels: { ...seen.kernels } } };
  });
}
