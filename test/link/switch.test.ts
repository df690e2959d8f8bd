import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createEthernet } from '../../src/link/ethernet.ts';
import { impaired } from '../../src/link/impaired.ts';
import type { Link } from '../../src/link/link.ts';
import { Packet } from '../../src/link/packet.ts';
import { createSwitch, type FramePort, type Switch, type SwitchOptions } from '../../src/link/switch.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { arpFrame, frame, ipPacket, OTHER, PEER, station, told } from '../support/ethernet-frames.ts';
import { Collector, faultOf, pattern, tcpPacket } from './collector.ts';

/** A machine outside, and what it was given. */
class Machine {
  readonly frames: Uint8Array[] = [];
  readonly port: FramePort;

  constructor(on: Switch, name: string) {
    this.port = on.outside((bytes) => this.frames.push(bytes), name);
  }

  /** What came since the last call, a line each. */
  heard(): string[] {
    return this.frames.splice(0).map(told);
  }
}

function machines(count: number, options: SwitchOptions = {}) {
  const clock = new VirtualClock();
  const lan = createSwitch({ clock, seed: 1, ...options });
  return {
    clock,
    lan,
    all: Array.from({ length: count }, (_, i) => new Machine(lan, `m${i}`)) as [Machine, Machine, Machine],
  };
}

const data = (from: string, to: string) => frame(from, to, 0x0800, ipPacket('10.0.0.2', '10.0.0.3', 7, 40));

/** Hosts at 10.0.0.1, 10.0.0.2, ... */
function hosts(count: number, lan: Switch, clock: VirtualClock, wrap = (link: Link) => link): Host[] {
  return Array.from({ length: count }, (_, i) =>
    createHost({
      link: createEthernet(wrap(lan.port()), { duplicateDetection: false, seed: i }),
      address: [`10.0.0.${i + 1}/24`, `fd00::${i + 1}/64`],
      clock,
      seed: i,
    }),
  );
}

/** Sends `bytes` from one host to an address of another, and back. */
async function echo(from: Host, to: Host, address: string, bytes: Uint8Array): Promise<Uint8Array> {
  const listener = await to.listen('tcp', address);
  const serve = async () => {
    const conn = await listener.accept();
    const buffer = new Uint8Array(16_384);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer))
      await conn.write(buffer.subarray(0, n));
    await conn.close();
  };
  const served = serve();
  const conn = await from.dial('tcp', address);
  const back = new Uint8Array(bytes.length);
  const sent = conn.write(bytes).then(() => conn.closeWrite());
  let at = 0;
  while (at < back.length) at += (await conn.read(back.subarray(at))) ?? 0;
  await Promise.all([sent, served]);
  await conn.close();
  await listener.close();
  return back;
}

describe('createSwitch', () => {
  it('floods what it does not know, and groups; and learns who is where', async () => {
    const { clock, lan, all } = machines(3);
    const [a, b, c] = all;
    a.port.send(data(PEER, OTHER));
    await clock.advance(0);
    expect([a.heard(), b.heard(), c.heard()].map((lines) => lines.length)).to.deep.equal([0, 1, 1]);
    b.port.send(data(OTHER, PEER));
    await clock.advance(0);
    expect([a.heard(), b.heard(), c.heard()]).to.deep.equal([['other>peer ip 10.0.0.2>10.0.0.3 #7'], [], []]);
    a.port.send(arpFrame({ sender: '10.0.0.2', target: '10.0.0.3' }));
    await clock.advance(0);
    expect([a.heard(), b.heard(), c.heard()].map((lines) => lines.length)).to.deep.equal([0, 1, 1]);
    expect(lan.table().map(({ hardwareAddress, port }) => [hardwareAddress, port])).to.have.deep.members([
      [PEER, 'm0'],
      [OTHER, 'm1'],
    ]);
    expect([lan.statistics.forwarded, lan.statistics.flooded]).to.deep.equal([1, 2]);
  });

  it('follows a station that moves, forgets one that is silent, and those of a port that is unplugged', async () => {
    const { clock, lan, all } = machines(3, { ageing: 1000 });
    const [a, b, c] = all;
    b.port.send(data(OTHER, PEER));
    c.port.send(data(OTHER, PEER));
    await clock.advance(0);
    a.port.send(data(PEER, OTHER));
    await clock.advance(0);
    expect([b.heard().length, c.heard().length]).to.deep.equal([1, 2]);
    await clock.advance(1000);
    expect(lan.table()).to.deep.equal([]);
    a.port.send(data(PEER, OTHER));
    await clock.advance(0);
    expect([b.heard().length, c.heard().length]).to.deep.equal([1, 1]);
    c.port.send(data(OTHER, PEER));
    c.port.close();
    c.port.send(data(OTHER, PEER));
    a.port.send(data(PEER, OTHER));
    await clock.advance(0);
    expect([b.heard().length, c.heard().length]).to.deep.equal([1, 0]);
  });

  it('IEEE 802.1D 7.12.6, 7.8: drops what stays on its cable, groups as senders, and what it would send back', async () => {
    const { clock, lan, all } = machines(3);
    const [a, b] = all;
    a.port.send(data(PEER, '01:80:c2:00:00:00'));
    a.port.send(data('03:00:00:00:00:01', OTHER));
    a.port.send(data(OTHER, PEER));
    a.port.send(data(PEER, OTHER));
    a.port.send(new Uint8Array(13));
    a.port.send(new Uint8Array(1519));
    await clock.advance(0);
    expect(b.heard().length).to.equal(1);
    expect(Object.fromEntries(lan.statistics.dropped)).to.deep.equal({
      reserved: 1,
      'group-source': 1,
      'same-port': 1,
      'short-frame': 1,
      'too-long': 1,
    });
  });

  it('remembers a bounded number of stations, however many there are', async () => {
    const { clock, lan, all } = machines(2, { tableSize: 100, ageing: 10_000 });
    const [a, b] = all;
    for (let i = 0; i < 5000; i++) a.port.send(data(station(i), OTHER));
    expect(lan.table().length).to.equal(100);
    await clock.advance(20_000);
    for (let i = 5000; i < 5050; i++) a.port.send(data(station(i), OTHER));
    expect(lan.table().length).to.equal(50);
    expect(b.heard().length).to.equal(1000);
    expect(lan.statistics.dropped.get('queue-full')).to.equal(4000);
  });

  it('gives machines outside what a cable carries: padded, cut, with complete checksums', async () => {
    const { clock, lan, all } = machines(1);
    const port = lan.port();
    const host = new Collector(clock, port);
    const big = tcpPacket(host.slab, { payload: pattern(3000), segmentSize: 1000, version: 6 });
    const framed = new Packet(host.slab.take(), 0);
    framed.chunk.bytes.set(frame(PEER, OTHER, 0x86dd, new Uint8Array(0)));
    big.copyTo(framed.chunk.bytes, 14);
    framed.length = 14 + big.totalLength();
    Object.assign(framed, { checksum: big.checksum, segmentSize: 1000, transportOffset: 54, checksumOffset: 16 });
    port.send({ packets: [framed], length: 1 });
    all[0].port.send(frame(OTHER, PEER, 0x0800, ipPacket('10.0.0.3', '10.0.0.2', 1)));
    port.send({ packets: [framed], length: 1 });
    await clock.advance(0);
    const pieces = all[0].frames;
    expect(pieces.map(({ length }) => length)).to.deep.equal(new Array(6).fill(1074));
    for (const piece of pieces) expect(faultOf(piece.subarray(14))).to.equal('');
    expect(host.received.map(({ bytes }) => bytes.length)).to.deep.equal([42]);
    // A VLAN tag hides where the headers are: such a one is not cut.
    framed.chunk.view.setUint16(12, 0x8100);
    port.send({ packets: [framed], length: 1 });
    await clock.advance(0);
    expect([pieces.length, lan.statistics.dropped.get('uncuttable')]).to.deep.equal([6, 1]);
    // One that is no super-segment has its checksum completed all the same.
    const small = tcpPacket(host.slab, { payload: pattern(100), partial: true, version: 6 });
    framed.chunk.bytes.set(frame(PEER, OTHER, 0x86dd, new Uint8Array(0)));
    small.copyTo(framed.chunk.bytes, 14);
    Object.assign(framed, { length: 14 + small.totalLength(), segmentSize: 0 });
    port.send({ packets: [framed], length: 1 });
    await clock.advance(0);
    expect(faultOf((pieces[6] as Uint8Array).subarray(14))).to.equal('');
    small.clear();
    small.chunk.release();
    port.close();
    framed.chunk.release();
    big.clear();
    big.chunk.release();
    expect(host.slab.live).to.equal(0);
  });

  it('pads to 60 bytes for machines outside', async () => {
    const { clock, all } = machines(2);
    all[0].port.send(frame(PEER, OTHER, 0x0800, ipPacket('10.0.0.3', '10.0.0.2', 1)));
    await clock.advance(0);
    expect(all[1].frames.map(({ length }) => length)).to.deep.equal([60]);
  });

  for (const offload of [true, false]) {
    it(`several hosts talk TCP over it, IPv4 and IPv6, offload ${offload}`, async () => {
      const clock = new VirtualClock();
      const lan = createSwitch({ seed: 1, offload });
      const [a, b, c] = hosts(3, lan, clock) as [Host, Host, Host];
      const bytes = pattern(300_000);
      const all = await clock.run({
        until: Promise.all([
          echo(a, b, '10.0.0.2:80', bytes),
          echo(b, c, '[fd00::3]:80', bytes),
          echo(c, a, '10.0.0.1:81', bytes),
          echo(a, c, '[fd00::3]:82', bytes),
        ]),
      });
      for (const back of all) expect(Buffer.compare(back, bytes)).to.equal(0);
      expect(lan.table().length).to.equal(3);
      await clock.run({ until: Promise.all([a.close(), b.close(), c.close()]) });
    });
  }

  it('with frames that are lost, ARP and ND among them, they still do', async () => {
    const clock = new VirtualClock();
    const lan = createSwitch({ seed: 1 });
    let seed = 0;
    const [a, b] = hosts(2, lan, clock, (link) => impaired(link, { seed: seed++, both: { loss: 0.1 } })) as [
      Host,
      Host,
    ];
    const bytes = pattern(100_000);
    const all = await clock.run({
      until: Promise.all([echo(a, b, '10.0.0.2:80', bytes), echo(b, a, '[fd00::1]:80', bytes)]),
    });
    for (const back of all) expect(Buffer.compare(back, bytes)).to.equal(0);
    await clock.run({ until: Promise.all([a.close(), b.close()]) });
  });

  it('two switches on a cable are one Ethernet', async () => {
    const clock = new VirtualClock();
    const [one, two] = [createSwitch({ clock, seed: 1 }), createSwitch({ clock, seed: 2, offload: false })];
    one.connect(two.port('uplink'));
    const [a] = hosts(1, one, clock) as [Host];
    const b = createHost({
      link: createEthernet(two.port(), { duplicateDetection: false, seed: 9 }),
      address: '10.0.0.9/24',
      clock,
      seed: 9,
    });
    const bytes = pattern(200_000);
    const back = await clock.run({ until: echo(a, b, '10.0.0.9:80', bytes) });
    expect(Buffer.compare(back, bytes)).to.equal(0);
    await clock.run({ until: Promise.all([a.close(), b.close()]) });
    one.close();
  });

  it('the same seed gives the same frames', async () => {
    const run = async () => {
      const clock = new VirtualClock();
      const lan = createSwitch({ clock, seed: 7 });
      const seen: string[] = [];
      lan.outside((bytes) => seen.push(`${clock.now()} ${Buffer.from(bytes).toString('hex')}`));
      const links = [1, 2].map((seed) => createEthernet(lan.port(), { seed }));
      const [a, b] = links.map((link, i) => createHost({ link, address: `10.0.0.${i + 1}/24`, clock, seed: i })) as [
        Host,
        Host,
      ];
      await clock.run({ until: echo(a, b, '10.0.0.2:80', pattern(1000)) });
      await clock.run({ until: Promise.all([a.close(), b.close()]) });
      return seen;
    };
    const first = await run();
    // Probes and announcements of both, and the first question.
    expect(first.length).to.be.at.least(9);
    expect(await run()).to.deep.equal(first);
  });

  it('turned off, hosts lose the carrier', async () => {
    const clock = new VirtualClock();
    const lan = createSwitch({ clock, seed: 1 });
    const port = lan.port();
    const host = new Collector(clock, port);
    lan.close();
    lan.close();
    expect(host.events).to.deep.equal(['down']);
    port.close();
    expect(() => port.attach(host)).to.throw(Error, 'was closed');
    expect(() => lan.port()).to.throw(Error, 'was closed');
  });

  it('refuses wrong use', () => {
    expect(() => createSwitch({ mtu: 67 })).to.throw(RangeError, 'mtu');
    expect(() => createSwitch({ queue: 0 })).to.throw(RangeError, 'queue');
    expect(() => createSwitch({ tableSize: 0.5 })).to.throw(RangeError, 'tableSize');
    expect(() => createSwitch({ ageing: 0 })).to.throw(RangeError, 'ageing');
    expect(() => createSwitch({ vlan: 1 } as SwitchOptions)).to.throw(TypeError, 'no option vlan');
    const lan = createSwitch();
    expect(() => lan.outside(undefined as unknown as () => void)).to.throw(TypeError, 'onFrame');
    const port = lan.port();
    expect(() => createHost({ link: port, address: '10.0.0.1/24' })).to.throw(TypeError, 'createEthernet(link)');
    const first = new Collector(new VirtualClock(), port);
    expect(() => port.attach(first)).to.throw(Error, 'has a receiver already');
    expect(() => new Collector(new VirtualClock(), lan.port())).to.throw(Error, 'another clock');
    const long = new Packet(first.slab.take(), 0);
    long.length = 1515;
    expect(() => port.send({ packets: [long], length: 1 })).to.throw(RangeError, '1515');
    expect(() => lan.port().send({ packets: [long], length: 1 })).to.throw(Error, 'not attached');
  });
});
