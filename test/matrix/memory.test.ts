import { createEthernet } from '../../src/link/ethernet.ts';
import { impaired } from '../../src/link/impaired.ts';
import type { Link } from '../../src/link/link.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { createSwitch } from '../../src/link/switch.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import type { TestSocket } from '../../src/packetdrill/target.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { Clock } from '../../src/time/clock.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { plays } from './cases.ts';
import { addressOf, Ground, LINK_LOCAL, OURS, PEERS, VARIANTS, type Variant } from './ground.ts';

/** Two ports of a switch. */
function ethernets(clock: Clock): [Link, Link] {
  const ground = createSwitch({ clock, seed: 1 });
  const over = (seed: number) => createEthernet(ground.port(), { seed, duplicateDetection: false });
  return [over(1), over(2)];
}

const plainPipe = () => createPipe({ offload: false });
const ALL: readonly Variant[] = [...VARIANTS, 'link-local'];
/** Where nothing is left to the link, the families differ by their headers alone. */
const PLAIN: readonly Variant[] = ['IPv4', 'IPv6'];

/** Two links that are joined. */
const LINKS: Readonly<Record<string, (clock: Clock) => [Link, Link]>> = {
  'a pipe': () => createPipe(),
  'a pipe without offloads': plainPipe,
  'Ethernet and a switch': ethernets,
};

interface Both {
  readonly ground: Ground;
  readonly stacks: readonly Stack[];
}

function open(links: (clock: Clock) => [Link, Link], variant: Variant): Both {
  const clock = new VirtualClock();
  const [near, far] = links(clock);
  let isCut = false;
  const breaks = impaired(near, { both: { rule: () => (isCut ? 'drop' : 'pass') } });
  const stacks = [breaks, far].map((link, i) => {
    const sysctl = { tcp_timewait_len: 0.1, tcp_fastopen: 3 };
    const stack = new Stack({ clock, random: seededRandom(i + 1), sysctl, hasher: nodeHasher });
    const at = i === 0 ? OURS : PEERS;
    const addresses = [
      { address: addressOf(at[4]), bits: 24 },
      { address: addressOf(at[6]), bits: 64 },
      { address: addressOf(i === 0 ? LINK_LOCAL.ours : LINK_LOCAL.peers), bits: 64 },
    ];
    stack.addInterface(link, { addresses });
    return stack;
  });
  const [ours, peers] = stacks as [Stack, Stack];
  const ground = new Ground({
    variant,
    stack: ours,
    peerSocket: (domain) => createSocket(peers, domain, 1, 0) as TestSocket,
    time: { now: () => clock.now(), step: (ms) => clock.advance(ms), isVirtual: true },
    cut: (cut) => {
      isCut = cut;
    },
  });
  return { ground, stacks };
}

for (const [name, links] of Object.entries(LINKS)) {
  for (const variant of links === plainPipe ? PLAIN : ALL) {
    describe(`TCP over ${name}, ${variant}`, () => {
      let both: Both;
      before(() => {
        both = open(links, variant);
      });
      afterEach(() => both.ground.sweep());
      after(() => {
        for (const stack of both.stacks) stack.close();
      });

      for (const { title, play } of plays(true)) it(title, () => play(both.ground));
    });
  }
}
