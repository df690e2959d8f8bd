/** What options.test.ts plays in a network namespace of its own: what the two sides agree on, and that it works. */
import { dissect } from '../../src/lab/dissect.ts';
import { captured } from '../../src/link/captured.ts';
import type { Link } from '../../src/link/link.ts';
import { ACK, SYN } from '../../src/wire/tcp.ts';
import { bothWays } from './both-ways.ts';
import { type GroundOptions, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

/** The options of the segments of one connection, by name, without padding. */
class OptionsSeen {
  syn: readonly string[] = [];
  synAck: readonly string[] = [];
  /** Of all other segments. */
  readonly later = new Set<string>();
  /** The largest window that was offered after the handshake, bytes. */
  furthest = 0;
  /** Of each side's windows, by its port; undefined: not offered. */
  readonly #shifts = new Map<number, number | undefined>();

  readonly note = (bytes: Uint8Array): void => {
    const { tcp } = dissect(bytes);
    if (tcp === undefined) return;
    const shift = tcp.options.find((option) => option.name === 'wscale')?.shift;
    if ((tcp.flags & SYN) !== 0) this.#shifts.set(tcp.sourcePort, shift);
    else this.furthest = Math.max(this.furthest, tcp.window * 2 ** this.#shift(tcp.sourcePort));
    const names = tcp.options.map(({ name }) => name).filter((name) => name !== 'nop' && name !== 'end');
    if ((tcp.flags & SYN) === 0) for (const name of names) this.later.add(name);
    else if ((tcp.flags & ACK) !== 0) this.synAck = names;
    else this.syn = names;
  };

  /** RFC 7323 2.2: both have offered it, or none has one. */
  #shift(port: number): number {
    return [...this.#shifts.values()].includes(undefined) ? 0 : (this.#shifts.get(port) ?? 0);
  }
}

/** @param size bytes that go each way at once */
export function agrees(options: GroundOptions, dialler: 'kernel' | 'tunstack', size: number) {
  const seen = new OptionsSeen();
  const wrap = (link: Link) => captured(link, { onPacket: seen.note });
  return onGround({ ...options, wrap }, async (ground) => {
    const plan = { bytes: size, hash: true };
    const [ours, kernels] = await ground.within(8000, 'both ways', bothWays(ground, dialler, plan));
    return {
      ours,
      kernels,
      syn: seen.syn,
      synAck: seen.synAck,
      later: [...seen.later].sort(),
      furthest: seen.furthest,
    };
  });
}
