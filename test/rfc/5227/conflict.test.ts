import { expect } from 'chai';
import { createHost, type Host } from '../../../src/host.ts';
import { createEthernet, type EthernetOptions } from '../../../src/link/ethernet.ts';
import { createSwitch } from '../../../src/link/switch.ts';
import type { OpError } from '../../../src/net/op-error.ts';
import { VirtualClock } from '../../../src/time/virtual-clock.ts';
import { arpFrame, ipPacket, OTHER, PEER, US } from '../../support/ethernet-frames.ts';
import { type EthernetWire, ethernetWire } from '../../support/ethernet-wire.ts';

const PROBE = 'us>all arp who-has 10.0.0.1 tell 0.0.0.0';
const ANNOUNCEMENT = 'us>all arp who-has 10.0.0.1 tell 10.0.0.1';
const CLAIM = arpFrame({ sender: '10.0.0.1', target: '10.0.0.7' });

/** A chance that is always the same. */
const chance = (float: number) => ({ uint32: () => 1, float: () => float });

function probing(options: EthernetOptions = {}): EthernetWire {
  return ethernetWire({ addresses: ['10.0.0.1/24'], duplicateDetection: true, random: chance(0.5), ...options });
}

/** What is said, with the time it is said at, in steps of half a second. */
async function timeline(wire: EthernetWire, ms: number): Promise<[number, string][]> {
  const lines: [number, string][] = [];
  for (const line of wire.said()) lines.push([wire.clock.now(), line]);
  for (let at = 0; at < ms; at += 500) {
    await wire.clock.advance(500);
    for (const line of wire.said()) lines.push([wire.clock.now(), line]);
  }
  return lines;
}

function using(options: EthernetOptions = {}): EthernetWire {
  return ethernetWire({ addresses: ['10.0.0.1/24'], ...options });
}

function state(wire: EthernetWire): string | undefined {
  return wire.link.addresses()[0]?.state;
}

describe('RFC 5227: IPv4 address conflict detection', () => {
  it('2.1.1: three probes from 0.0.0.0, one to two seconds apart, after up to a second; 2.3: two announcements', async () => {
    const wire = probing();
    expect(await timeline(wire, 20_000)).to.deep.equal([
      [500, PROBE],
      [2000, PROBE],
      [3500, PROBE],
      [5500, ANNOUNCEMENT],
      [7500, ANNOUNCEMENT],
    ]);
    expect(state(wire)).to.equal('preferred');
  });

  for (const [float, at] of [
    [0, [0, 1000, 2000, 4000, 6000]],
    [1 - 2 ** -32, [1000, 3000, 5000, 7000, 9000]],
  ] as const) {
    it(`1.1: at the ${float === 0 ? 'least' : 'most'}, the times are ${at.join(', ')} ms`, async () => {
      const wire = probing({ random: chance(float) });
      const times = await timeline(wire, 12_000);
      // A chance of less than 1 and a step of 500 ms.
      expect(times.map(([when]) => Math.round(when / 500) * 500)).to.deep.equal(
        at[0] === 0 ? [500, ...at.slice(1)] : at,
      );
    });
  }

  it('2.1: nothing goes out from the address before that, and what waited goes with the first announcement', async () => {
    const wire = probing();
    expect(wire.down(ipPacket('10.0.0.1', '10.0.0.255', 1), ipPacket('10.0.0.1', '10.0.0.255', 2))).to.equal(2);
    await wire.clock.advance(5499);
    expect(wire.said()).to.deep.equal([PROBE, PROBE, PROBE]);
    expect(state(wire)).to.equal('tentative');
    await wire.clock.advance(1);
    expect(wire.said()).to.deep.equal([
      ANNOUNCEMENT,
      'us>all ip 10.0.0.1>10.0.0.255 #1',
      'us>all ip 10.0.0.1>10.0.0.255 #2',
    ]);
    expect(wire.host.slab.live).to.equal(0);
  });

  it('2.1: meanwhile nobody is answered', async () => {
    const wire = probing();
    await wire.clock.advance(1000);
    wire.said();
    wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.1' }));
    expect([wire.said(), state(wire)]).to.deep.equal([[], 'tentative']);
  });

  for (const [what, frame] of [
    ['an answer', arpFrame({ op: 'reply', sender: '10.0.0.1', target: '0.0.0.0' })],
    ['any ARP packet that names the address as its sender', CLAIM],
    ['a probe of another host for the same address', arpFrame({ sender: '0.0.0.0', target: '10.0.0.1' })],
  ] as const) {
    it(`2.1.1: ${what} ends it: the address is not used`, async () => {
      const wire = probing();
      wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
      await wire.clock.advance(5000);
      wire.said();
      wire.arrives(frame);
      await wire.clock.advance(0);
      expect(wire.host.conflicts.map((conflict) => ({ ...conflict, address: String(conflict.address) }))).to.deep.equal(
        [{ address: '10.0.0.1', hardwareAddress: PEER, kept: false }],
      );
      wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
      wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.1' }));
      expect(await timeline(wire, 60_000)).to.deep.equal([]);
      expect([state(wire), wire.link.statistics.sourceLost, wire.host.slab.live]).to.deep.equal(['duplicate', 1, 0]);
    });
  }

  it('2.1.1: a probe of ours that comes back, and one for another address, end nothing', async () => {
    const wire = probing();
    wire.arrives(arpFrame({ from: OTHER, hardware: US, sender: '0.0.0.0', target: '10.0.0.1' }));
    wire.arrives(arpFrame({ sender: '0.0.0.0', target: '10.0.0.2' }));
    await wire.clock.advance(6000);
    expect(state(wire)).to.equal('preferred');
  });

  it('2.1: when the carrier comes back, the address is tried out anew', async () => {
    const wire = probing();
    await wire.clock.advance(10_000);
    wire.said();
    wire.frames.receiver?.down();
    wire.frames.receiver?.up();
    expect(state(wire)).to.equal('tentative');
    expect((await timeline(wire, 6000)).map(([, line]) => line)).to.deep.equal([PROBE, PROBE, PROBE, ANNOUNCEMENT]);
    expect(wire.host.events).to.deep.equal(['down', 'up']);
  });

  it('2.3: without detection nothing is said, and the address is used at once', async () => {
    const wire = using();
    expect(await timeline(wire, 10_000)).to.deep.equal([]);
    expect(state(wire)).to.equal('preferred');
  });

  it('2.1: a probe for an address in use is answered', () => {
    const wire = using();
    wire.arrives(arpFrame({ sender: '0.0.0.0', target: '10.0.0.1' }));
    expect(wire.said()).to.deep.equal(['us>peer arp 10.0.0.1 is-at us for 0.0.0.0']);
    expect([wire.neighbours(), wire.link.statistics.conflicts]).to.deep.equal([[], 0]);
  });

  it('2.4 (b): an address in use is defended by one announcement, and given up when it is claimed again within 10 s', async () => {
    const told: boolean[] = [];
    const wire = using({ onConflict: ({ kept }) => told.push(kept) });
    wire.arrives(CLAIM);
    expect([wire.said(), state(wire)]).to.deep.equal([[ANNOUNCEMENT], 'preferred']);
    await wire.clock.advance(10_000);
    wire.arrives(CLAIM);
    expect([wire.said(), state(wire)]).to.deep.equal([[ANNOUNCEMENT], 'preferred']);
    await wire.clock.advance(9999);
    wire.arrives(CLAIM, CLAIM);
    await wire.clock.advance(0);
    expect([wire.said(), state(wire)]).to.deep.equal([[], 'duplicate']);
    expect([told, wire.link.statistics.conflicts]).to.deep.equal([[true, true, false], 4]);
  });

  it('2.4 (a): or given up at once', async () => {
    const wire = using({ defence: 'never' });
    wire.arrives(CLAIM);
    await wire.clock.advance(0);
    expect([wire.said(), state(wire)]).to.deep.equal([[], 'duplicate']);
  });

  it('2.4 (c): or kept, with no more than one announcement and one report in 10 s', async () => {
    const wire = using({ defence: 'always' });
    let said = 0;
    for (let i = 0; i < 100; i++) {
      wire.arrives(CLAIM);
      said += wire.said().length;
      await wire.clock.advance(100);
    }
    expect([said, wire.host.conflicts.length, state(wire)]).to.deep.equal([1, 1, 'preferred']);
    expect(wire.link.statistics.conflicts).to.equal(100);
  });

  it('2.4: before an address is given up, its connections are reset', async () => {
    const clock = new VirtualClock();
    const lan = createSwitch({ clock, seed: 1 });
    const options = { duplicateDetection: false, defence: 'never' } as const;
    const [us, them] = [1, 2].map((n) =>
      createHost({
        link: createEthernet(lan.port(), { ...options, seed: n }),
        address: `10.0.0.${n}/24`,
        clock,
        seed: n,
      }),
    ) as [Host, Host];
    const listener = await them.listen('tcp', '10.0.0.2:80');
    const both = Promise.all([us.dial('tcp', '10.0.0.2:80'), listener.accept()]);
    const conns = await clock.run({ until: both });
    const ends = conns.map((conn) =>
      conn.read(new Uint8Array(1)).then(
        () => 'read',
        ({ code }: OpError) => code,
      ),
    );
    lan.outside(() => {}).send(CLAIM);
    expect(await clock.run({ until: Promise.all(ends) })).to.deep.equal(['ECONNABORTED', 'ECONNRESET']);
    await clock.run({ until: Promise.all([us.close(), them.close()]) });
  });

  it('2.1.1: after ten conflicts no more than one trial a minute', async () => {
    const wire = probing({ random: chance(0) });
    const started: number[] = [];
    for (let i = 0; i < 13; i++) {
      wire.frames.receiver?.up();
      const from = wire.clock.now();
      while (wire.said().length === 0) await wire.clock.advance(500);
      started.push(wire.clock.now() - from);
      wire.arrives(CLAIM);
    }
    // A step of the clock after the carrier came, ten times; then the rest of the minute since the last.
    expect(started).to.deep.equal([...new Array<number>(10).fill(500), 59_500, 60_000, 60_000]);
  });

  it('2.4: whoever claims our address is not learned as a neighbour at it, nor answered', () => {
    const wire = using({ defence: 'always' });
    wire.arrives(arpFrame({ sender: '10.0.0.1', target: '10.0.0.1' }));
    expect([wire.said(), wire.neighbours()]).to.deep.equal([[ANNOUNCEMENT], []]);
  });

  it('an address that the host gets later is tried out, one that it loses is not answered for', async () => {
    const wire = probing({ random: chance(0) });
    await wire.clock.advance(10_000);
    wire.said();
    const [entry] = wire.host.addresses.splice(0, 1);
    wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.1' }));
    expect([wire.said(), wire.link.addresses()]).to.deep.equal([[], []]);
    wire.host.addresses.push({ ...(entry as NonNullable<typeof entry>) });
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    await wire.clock.advance(0);
    expect(wire.said()).to.deep.equal([PROBE]);
    wire.host.addresses.splice(0, 1);
    expect(wire.link.addresses()).to.deep.equal([]);
    expect(wire.host.slab.live).to.equal(0);
  });
});
