import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { linkFromDuplex, type PacketDuplex } from '../../src/link/duplex.ts';
import { createEthernet } from '../../src/link/ethernet.ts';
import { Slab } from '../../src/link/slab.ts';
import { createSwitch } from '../../src/link/switch.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { batchOf, bytesOf, Collector, packetOf, pattern, tcpPacket } from './collector.ts';

/** One end of a pair of object-mode streams: what is written to one is read from the other, at once. */
class End extends Duplex {
  other: End | undefined;
  /** While set, writes are not acknowledged. */
  stuck: (() => void)[] | undefined;

  constructor(highWaterMark = 16) {
    super({ objectMode: true, highWaterMark });
  }

  override _read(): void {}

  override _write(chunk: unknown, _encoding: string, callback: () => void): void {
    this.other?.push(chunk);
    if (this.stuck === undefined) callback();
    else this.stuck.push(callback);
  }

  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }
}

function streams(highWaterMark?: number): [End, End] {
  const [a, b] = [new End(highWaterMark), new End(highWaterMark)];
  a.other = b;
  b.other = a;
  return [a, b];
}

const turns = async (n = 5) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('linkFromDuplex', () => {
  it('joins two links: whole packets, in order, in both directions', async () => {
    const [a, b] = streams();
    const clock = new RealClock();
    const [one, two] = [linkFromDuplex(a), linkFromDuplex(b, { mtu: 9000, name: 'tun7' })];
    const [left, right] = [new Collector(clock, one), new Collector(clock, two)];
    expect([one.name, two.name]).to.deep.equal(['duplex', 'tun7']);
    expect([one.capabilities, two.capabilities]).to.deep.equal(
      [1500, 9000].map((mtu) => ({ mtu, checksumOffload: false, segmentationOffload: 0 })),
    );
    const slab = new Slab();
    const packets = [tcpPacket(slab, { payload: pattern(1000), parts: [3] }), packetOf(slab, pattern(68))];
    const sent = packets.map(bytesOf);
    expect(one.send(batchOf(...packets))).to.equal(2);
    for (const packet of packets) packet.chunk.bytes.fill(0);
    expect(two.send(batchOf(packetOf(slab, pattern(9000))))).to.equal(1);
    expect([left.received.length, right.received.length], 'not within the call').to.deep.equal([0, 0]);
    await turns();
    expect(right.received.map((p) => p.bytes)).to.deep.equal(sent);
    expect(right.batches).to.deep.equal([2]);
    expect(left.received.map((p) => p.bytes)).to.deep.equal([pattern(9000)]);
    expect([left.slab.live, right.slab.live]).to.deep.equal([0, 0]);
    one.close();
    two.close();
  });

  it('heeds back pressure: after write() === false nothing more until drain', async () => {
    const [a, b] = streams(4);
    const link = linkFromDuplex(a);
    const left = new Collector(new RealClock(), link);
    a.stuck = [];
    const slab = new Slab();
    const packets = Array.from({ length: 10 }, (_, i) => packetOf(slab, pattern(60 + i)));
    expect(link.send(batchOf(...packets))).to.equal(4);
    expect(link.send(batchOf(...packets.slice(4)))).to.equal(0);
    expect(left.events).to.deep.equal([]);
    left.onWritable = () => void link.send(batchOf(...packets.slice(4, 6)));
    const stuck = a.stuck;
    a.stuck = undefined;
    for (const go of stuck) go();
    await turns();
    expect(left.events).to.deep.equal(['writable']);
    const got: Uint8Array[] = [];
    b.on('data', (bytes) => got.push(bytes));
    await turns();
    expect(got).to.deep.equal(packets.slice(0, 6).map(bytesOf));
    link.close();
  });

  it('takes a flood in batches, pauses the stream meanwhile, and loses nothing', async () => {
    const [a, b] = streams();
    const link = linkFromDuplex(a);
    const left = new Collector(new RealClock(), link);
    let paused = 0;
    a.on('pause', () => paused++);
    for (let i = 0; i < 2000; i++) b.write(pattern(100, i));
    await turns(50);
    expect(left.received.map((p) => p.bytes)).to.deep.equal(Array.from({ length: 2000 }, (_, i) => pattern(100, i)));
    expect(Math.max(...left.batches)).to.equal(64);
    expect(paused).to.be.above(0);
    expect(left.slab.live).to.equal(0);
    link.close();
  });

  it('an echo within the write is for the next turn', async () => {
    const [a, b] = streams();
    const link = linkFromDuplex(a);
    const left = new Collector(new RealClock(), link);
    let rounds = 0;
    b.on('data', (bytes) => b.write(bytes));
    left.onReceive = (batch) => {
      if (++rounds < 100) link.send(batch);
    };
    link.send(batchOf(packetOf(new Slab(), pattern(60))));
    await turns(1);
    expect(rounds).to.be.below(3);
    await turns(500);
    expect(rounds).to.equal(100);
    link.close();
  });

  it('ends with the stream: an error is the reason, packets before it arrive', async () => {
    const [a, b] = streams();
    const link = linkFromDuplex(a);
    const left = new Collector(new RealClock(), link);
    b.write(pattern(60));
    await turns(1);
    a.destroy(new Error('device gone'));
    await turns();
    expect(left.received).to.have.length(1);
    expect(left.events).to.deep.equal(['closed: device gone']);
    expect(link.send(batchOf(packetOf(new Slab(), pattern(60)))), 'lost').to.equal(1);
    await turns();
    expect(left.events).to.have.length(1);
  });

  it('ends with the stream: end, close, and an end before it was attached', async () => {
    for (const finish of [(_a: End, b: End) => b.end(), (a: End) => a.destroy()]) {
      for (const early of [false, true]) {
        const [a, b] = streams();
        const link = linkFromDuplex(a);
        const left = new Collector(new RealClock());
        if (!early) link.attach(left);
        finish(a, b);
        await turns();
        if (early) link.attach(left);
        await turns();
        expect(left.events).to.deep.equal(['closed: undefined']);
      }
    }
    const [a] = streams();
    const link = linkFromDuplex(a);
    a.destroy(new Error('early'));
    await turns();
    const left = new Collector(new RealClock(), link);
    await turns();
    expect(left.events).to.deep.equal(['closed: early']);
  });

  it('ends on a chunk that is no packet, and ignores what no IP packet can be', async () => {
    const [a, b] = streams();
    const left = new Collector(new RealClock(), linkFromDuplex(a));
    b.write(new Uint8Array());
    b.write(new Uint8Array(65_536));
    b.write(Buffer.from(pattern(65_535)));
    b.write('text');
    await turns();
    expect(left.received.map((p) => p.bytes.length)).to.deep.equal([65_535]);
    expect(left.events).to.deep.equal([
      'closed: duplex: the stream gave a chunk that is no Uint8Array (string): one IP packet per chunk is needed',
    ]);
    expect(a.destroyed).to.equal(true);
  });

  it('close destroys the stream and is heard no more', async () => {
    const [a, b] = streams();
    const link = linkFromDuplex(a);
    const left = new Collector(new RealClock(), link);
    b.write(pattern(60));
    await new Promise((resolve) => process.nextTick(resolve));
    link.close();
    link.close();
    await turns();
    expect(a.destroyed).to.equal(true);
    expect([left.received.length, left.events.length, left.slab.live]).to.deep.equal([0, 0, 0]);
    expect(() => link.send(batchOf())).to.throw(Error, 'duplex was closed');
    expect(() => link.attach(left)).to.throw(Error, 'duplex was closed');
  });

  it('with frames in it, it is an Ethernet cable: from a switch to a host', async () => {
    const [a, b] = streams();
    const clock = new RealClock();
    const lan = createSwitch({ clock });
    lan.connect(linkFromDuplex(a, { medium: 'ethernet' }));
    const links = [lan.port(), linkFromDuplex(b, { medium: 'ethernet' })];
    expect(links[1]?.capabilities.mtu).to.equal(1514);
    const [one, two] = links.map((link, i) =>
      createHost({ link: createEthernet(link, { duplicateDetection: false }), address: `10.0.0.${i + 1}/24`, clock }),
    ) as [Host, Host];
    const listener = await two.listen('tcp', '10.0.0.2:80');
    const [near, far] = await Promise.all([one.dial('tcp', '10.0.0.2:80'), listener.accept()]);
    const bytes = pattern(100_000);
    const back = new Uint8Array(bytes.length);
    const written = near.write(bytes);
    for (let at = 0; at < back.length; ) at += (await far.read(back.subarray(at))) ?? back.length;
    await written;
    expect(Buffer.compare(back, bytes)).to.equal(0);
    expect(() =>
      createHost({ link: linkFromDuplex(streams()[0], { medium: 'ethernet' }), address: '10.0.0.3/24' }),
    ).to.throw(TypeError, 'createEthernet(link)');
    await Promise.all([one.close(), two.close()]);
    lan.close();
  });

  it('refuses wrong use', () => {
    const [a] = streams();
    expect(() => linkFromDuplex(a, { medium: 'ip' as 'ethernet' })).to.throw(TypeError, 'medium');
    expect(() => linkFromDuplex(a, { mtu: 20 })).to.throw(RangeError, 'mtu');
    expect(() => linkFromDuplex({} as PacketDuplex)).to.throw(TypeError, 'a Duplex stream is needed');
    expect(() => linkFromDuplex(new Duplex({ read() {} }))).to.throw(TypeError, 'object mode');
    const link = linkFromDuplex(a);
    const left = new Collector(new RealClock(), link);
    expect(() => link.attach(left)).to.throw(Error, 'has a receiver already');
    expect(() => link.send(batchOf(packetOf(new Slab(), pattern(1501))))).to.throw(RangeError, '1501 bytes');
    link.close();
  });
});
