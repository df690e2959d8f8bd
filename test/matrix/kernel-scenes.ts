/** What kernel.test.ts plays in a namespace of its own: all cases with the kernel at the other end, over one kind of link. */
import { createEthernet } from '../../src/link/ethernet.ts';
import type { Link } from '../../src/link/link.ts';
import { openRaw } from '../../src/link/raw.ts';
import { openTun } from '../../src/link/tun.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import { openTap } from '../../src/link/tun-tap.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { Stack } from '../../src/stack/stack.ts';
import { systemRandom } from '../../src/time/random.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { openKernelSocket } from '../support/kernel-end.ts';
import { Neighbour } from '../support/veth.ts';
import { plays } from './cases.ts';
import { addressOf, Ground, OURS, PEERS, type Time, VARIANTS, type Variant } from './ground.ts';

export const moduleUrl = import.meta.url;

export type LinkKind = 'TUN' | 'TAP' | 'raw sockets';

export interface Result {
  readonly variant: Variant;
  readonly title: string;
  /** Why it failed; undefined: it did not. */
  readonly error: string | undefined;
}

/** Ours on raw sockets: what cases dial where nobody listens, and what the stack takes for itself. */
const PORTS = [7, 8, '20000-29999'];

interface Opened {
  /** With the family of its address, or for both. */
  readonly links: readonly { readonly link: Link; readonly families: readonly (4 | 6)[] }[];
  readonly neighbour?: Neighbour;
}

const OPEN: Readonly<Record<LinkKind, () => Opened | Promise<Opened>>> = {
  TUN() {
    const link = openTun({ address: `${PEERS[4]}/24` });
    link.setAddress(`${PEERS[6]}/64`);
    return { links: [{ link, families: [4, 6] }] };
  },
  TAP() {
    const tap = openTap({ address: `${PEERS[4]}/24` });
    tap.setAddress(`${PEERS[6]}/64`);
    return { links: [{ link: createEthernet(tap, { duplicateDetection: false }), families: [4, 6] }] };
  },
  async 'raw sockets'() {
    const neighbour = await Neighbour.start([`${OURS[4]}/24`, `${OURS[6]}/64`], [`${PEERS[4]}/24`, `${PEERS[6]}/64`]);
    neighbour.run('sh', '-c', 'echo 3 > /proc/sys/net/ipv4/tcp_fastopen');
    const links = ([4, 6] as const).map((family) => ({
      link: openRaw({ address: OURS[family], ports: PORTS }),
      families: [family],
    }));
    return { links, neighbour };
  },
};

const time: Time = {
  now: () => performance.now(),
  step: () => new Promise((resolve) => setImmediate(resolve)),
  isVirtual: false,
};

/** @param only titles that contain this; for a person who looks for something */
export async function playAll(kind: LinkKind, only = ''): Promise<Result[]> {
  setSysctl('net.ipv4.tcp_fastopen', 3);
  const { links, neighbour } = await OPEN[kind]();
  const sysctl = { tcp_timewait_len: 0.05, tcp_fastopen: 3, ip_local_port_range: [20_000, 29_999] as [number, number] };
  const stack = new Stack({ clock: new RealClock(), random: systemRandom(), sysctl, hasher: nodeHasher });
  for (const { link, families } of links) {
    const addresses = families.map((family) => ({ address: addressOf(OURS[family]), bits: family === 4 ? 24 : 64 }));
    stack.addInterface(link, { addresses });
  }
  const results: Result[] = [];
  for (const variant of VARIANTS) {
    const hidesMarks = kind === 'raw sockets' && variant === 'IPv6';
    const peerSocket = (domain: number) => openKernelSocket(domain, neighbour);
    const ground = new Ground({ variant, stack, peerSocket, time, hidesMarks });
    for (const { title, play } of plays(false)) {
      if (!title.includes(only)) continue;
      let error: string | undefined;
      try {
        await play(ground);
        await ground.sweep();
      } catch (thrown) {
        error = (thrown as Error).stack;
        await ground.sweep().catch(() => {});
      }
      results.push({ variant, title, error });
    }
  }
  stack.close();
  neighbour?.end();
  return results;
}
