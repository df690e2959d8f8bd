/** Links that their maker closes under a host that lives: connections end with ENETDOWN, and nothing is thrown where nobody can catch it. */

import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { captured } from '../../src/link/captured.ts';
import { linkFromDuplex } from '../../src/link/duplex.ts';
import { createEthernet } from '../../src/link/ethernet.ts';
import { impaired } from '../../src/link/impaired.ts';
import type { Link } from '../../src/link/link.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { createSwitch } from '../../src/link/switch.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

interface Wiring {
  readonly near: Link;
  readonly far: Link;
  /** What is closed. */
  readonly victim: { close(): void };
}

function duplexes(): [Duplex, Duplex] {
  const ends: Duplex[] = [0, 1].map(
    (i) =>
      new Duplex({
        objectMode: true,
        read() {},
        write(packet, _, done) {
          (ends[1 - i] as Duplex).push(packet);
          done();
        },
      }),
  );
  return ends as [Duplex, Duplex];
}

function piped(wrap: (link: Link) => Link, inner = false): Wiring {
  const [pipe, far] = createPipe();
  const near = wrap(pipe);
  return { near, far, victim: inner ? pipe : near };
}

function switched(duplicateDetection: boolean, inner: boolean): Wiring {
  const lan = createSwitch({ seed: 1 });
  const port = lan.port();
  const near = createEthernet(port, { duplicateDetection, seed: 1 });
  const far = createEthernet(lan.port(), { duplicateDetection: false, seed: 2 });
  return { near, far, victim: inner ? port : near };
}

/** Two switches, and the cable between them. */
function cabled(clock: VirtualClock): Wiring {
  const [one, other] = [createSwitch({ seed: 1, clock }), createSwitch({ seed: 2, clock })];
  const cable = other.port();
  one.connect(cable);
  const [near, far] = [one, other].map((lan, i) => createEthernet(lan.port(), { duplicateDetection: false, seed: i }));
  return { near: near as Link, far: far as Link, victim: cable };
}

const WIRINGS: Readonly<Record<string, () => Wiring>> = {
  'a pipe': () => piped((link) => link),
  'a duplex': () => {
    const [near, far] = duplexes().map((stream) => linkFromDuplex(stream)) as [Link, Link];
    return { near, far, victim: near };
  },
  impaired: () => piped((link) => impaired(link, { out: { delay: 5 } })),
  'what lies beneath impaired': () => piped((link) => impaired(link, { out: { delay: 5 } }), true),
  captured: () => piped((link) => captured(link, { write: () => {} })),
  'what lies beneath captured': () => piped((link) => captured(link, { write: () => {} }), true),
  Ethernet: () => switched(false, false),
  'what lies beneath Ethernet': () => switched(false, true),
  'what lies beneath Ethernet that tries its addresses out': () => switched(true, true),
};

describe('a link is closed by hand', () => {
  for (const [name, make] of Object.entries(WIRINGS)) {
    it(`${name}, under a connection`, async () => {
      const { near, far, victim } = make();
      const clock = new VirtualClock();
      const host = createHost({ link: near, address: '10.9.0.1/24', clock, seed: 1 });
      const peer = createHost({ link: far, address: '10.9.0.2/24', clock, seed: 2 });
      await clock.advance(20_000);
      const listener = await peer.listen('tcp', ':80');
      const [conn] = await clock.run({ until: Promise.all([host.dial('tcp', '10.9.0.2:80'), listener.accept()]) });
      const packets = await host.dial('udp', '10.9.0.2:53');
      const failed = conn.read(new Uint8Array(1)).catch((error: OpError) => error.code);
      victim.close();
      await packets.write(new Uint8Array(1));
      await conn.write(new Uint8Array(100_000));
      expect(await clock.run({ until: failed })).to.equal('ENETDOWN');
      const dialled = host.dial('tcp', '10.9.0.2:80').catch((error: OpError) => error.code);
      expect(await clock.run({ until: dialled })).to.equal('ENETUNREACH');
      await Promise.all([host.close({ timeout: 0 }), peer.close({ timeout: 0 })]);
      await clock.advance(100_000);
      expect([clock.pending.foreground, clock.pending.held]).to.deep.equal([0, 0]);
    });

    it(`${name}, before anything was sent`, async () => {
      const { near, far, victim } = make();
      const clock = new VirtualClock();
      const host = createHost({ link: near, address: '10.9.0.1/24', clock, seed: 1 });
      const peer = createHost({ link: far, address: '10.9.0.2/24', clock, seed: 2 });
      victim.close();
      await clock.advance(20_000);
      const dialled = host.dial('tcp', '10.9.0.2:80').catch((error: OpError) => error.code);
      expect(await clock.run({ until: dialled })).to.be.oneOf(['ENETDOWN', 'ENETUNREACH']);
      await Promise.all([host.close({ timeout: 0 }), peer.close({ timeout: 0 })]);
    });
  }

  it('the cable between two switches: what goes over it is lost', async () => {
    const clock = new VirtualClock();
    const { near, far, victim } = cabled(clock);
    const host = createHost({ link: near, address: '10.9.0.1/24', clock, seed: 1 });
    const peer = createHost({ link: far, address: '10.9.0.2/24', clock, seed: 2 });
    victim.close();
    const dialled = host.dial('tcp', '10.9.0.2:80').catch((error: OpError) => error.code);
    expect(await clock.run({ until: dialled })).to.equal('EHOSTUNREACH');
    await Promise.all([host.close({ timeout: 0 }), peer.close({ timeout: 0 })]);
  });
});
