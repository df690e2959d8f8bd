import { expect } from 'chai';
import { type ImpairedLink, type ImpairedOptions, impaired } from '../../src/link/impaired.ts';
import type { LinkReceiver } from '../../src/link/link.ts';
import { CHECKSUM_NONE, CHECKSUM_VALIDATED, type Packet } from '../../src/link/packet.ts';
import { createPipe, type PipeOptions } from '../../src/link/pipe.ts';
import { Slab } from '../../src/link/slab.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { batchOf, bytesOf, Collector, drop, faultOf, packetOf, pattern, tcpPacket } from './collector.ts';

interface Ends {
  clock: VirtualClock;
  slab: Slab;
  /** The near end, impaired, and the far end, as it is. */
  near: ImpairedLink;
  far: ReturnType<typeof createPipe>[1];
  left: Collector;
  right: Collector;
}

function joined(options: ImpairedOptions, pipe: PipeOptions = {}): Ends {
  const clock = new VirtualClock();
  const [a, far] = createPipe(pipe);
  const near = impaired(a, options);
  return { clock, slab: new Slab(), near, far, left: new Collector(clock, near), right: new Collector(clock, far) };
}

/** Packets of 100 bytes that begin with their number. */
function numbered(slab: Slab, n: number, first = 0): Packet[] {
  return Array.from({ length: n }, (_, i) => {
    const bytes = pattern(100);
    new DataView(bytes.buffer).setUint32(0, first + i);
    return packetOf(slab, bytes);
  });
}

const numbersOf = (end: Collector) => end.received.map(({ bytes }) => new DataView(bytes.buffer).getUint32(0));

/** Sends `n` packets outwards, one per ms; their numbers as they arrived. */
async function through(options: ImpairedOptions, n: number): Promise<Ends & { numbers: number[] }> {
  const ends = joined(options);
  for (let i = 0; i < n; i++) {
    const [packet] = numbered(ends.slab, 1, i) as [Packet];
    expect(ends.near.send(batchOf(packet))).to.equal(1);
    drop(packet);
    await ends.clock.advance(1);
  }
  await ends.clock.run();
  expect([ends.left.slab.live, ends.right.slab.live, ends.slab.live]).to.deep.equal([0, 0, 0]);
  return { ...ends, numbers: numbersOf(ends.right) };
}

describe('impaired', () => {
  it('without options hands on everything at once, in one batch, and leaves the sender its bytes', async () => {
    const { clock, slab, near, far, left, right } = joined({});
    const packets = numbered(slab, 20);
    near.send(batchOf(...packets));
    far.send(batchOf(...packets));
    await clock.advance(0);
    expect(right.received.map((p) => p.bytes)).to.deep.equal(packets.map(bytesOf));
    expect(left.received.map((p) => p.bytes)).to.deep.equal(packets.map(bytesOf));
    expect([left.batches, right.batches]).to.deep.equal([[20], [20]]);
    expect([left.slab.live, right.slab.live]).to.deep.equal([0, 0]);
    expect(near.name).to.equal('impaired(pipe0)');
  });

  it('takes offload from above and cuts to the wire in both directions, before any rule', async () => {
    const seen: string[] = [];
    const rule = (bytes: Uint8Array, { direction }: { direction: string }) => {
      seen.push(`${direction} ${bytes.length} ${faultOf(bytes)}`);
      return 'pass' as const;
    };
    const { clock, slab, near, far, left, right } = joined({ both: { rule } });
    expect(near.capabilities).to.deep.equal({ mtu: 1500, checksumOffload: true, segmentationOffload: 65_535 });
    const make = () => [
      tcpPacket(slab, { payload: pattern(2500), parts: [3], segmentSize: 1000 }),
      tcpPacket(slab, { payload: pattern(11), parts: [], partial: true }),
    ];
    near.send(batchOf(...make()));
    far.send(batchOf(...make()));
    await clock.advance(0);
    const lengths = [1040, 1040, 540, 51];
    expect(seen.sort()).to.deep.equal([...lengths.map((n) => `in ${n} `), ...lengths.map((n) => `out ${n} `)].sort());
    for (const end of [left, right]) {
      expect(end.received.map((p) => [p.bytes.length, p.checksum, p.segmentSize, faultOf(p.bytes)])).to.deep.equal(
        lengths.map((n) => [n, CHECKSUM_NONE, 0, '']),
      );
    }
  });

  it('does not let a checksum pass as validated that somebody below has looked at', async () => {
    const { clock, slab, far, left } = joined({ in: { corrupt: 1 } });
    const packet = tcpPacket(slab, { payload: pattern(10) });
    packet.checksum = CHECKSUM_VALIDATED;
    far.send(batchOf(packet));
    await clock.advance(0);
    expect(left.received[0]?.checksum).to.equal(CHECKSUM_NONE);
  });

  it('loss: that share of the packets, and the statistics say how many', async () => {
    const { numbers, near } = await through({ seed: 3, out: { loss: 0.2 } }, 2000);
    const { out, in: inward } = near.statistics;
    expect(out).to.include({ packets: 2000, delivered: numbers.length, lost: 2000 - numbers.length });
    expect(inward.packets).to.equal(0);
    // 5 standard deviations.
    expect(out.lost).to.be.within(310, 490);
    expect(numbers).to.deep.equal([...numbers].sort((a, b) => a - b));
  });

  it('the same seed and packets, the same fate; another seed, another', async () => {
    const all = { loss: 0.1, duplicate: 0.1, reorder: 0.1, corrupt: 0.1, delay: 5, jitter: 5, rate: 1e6 };
    const fate = async (seed: number | string) =>
      (await through({ seed, both: all }, 300)).right.received.map((p) => `${p.at} ${p.bytes.join()}`).join('\n');
    const first = await fate('a');
    expect(await fate('a')).to.equal(first);
    expect(await fate('b')).not.to.equal(first);
  });

  it('burst loss: bursts of 1 / r on average, as often as p', async () => {
    const n = 4000;
    const { numbers } = await through({ out: { burstLoss: { p: 0.02, r: 0.25 } } }, n);
    const arrived = new Set(numbers);
    let bursts = 0;
    for (let i = 0; i < n; i++) if (!arrived.has(i) && (i === 0 || arrived.has(i - 1))) bursts++;
    expect((n - arrived.size) / bursts, 'packets per burst').to.be.within(3, 5.3);
    expect(bursts).to.be.within(40, 105);
    const { near } = await through({ out: { burstLoss: { p: 1, r: 0, lossGood: 1, lossBad: 0 } } }, 50);
    expect(near.statistics.out.lost, 'bad from the first packet on, but harmless').to.equal(0);
  });

  it('duplicate: the same packet twice', async () => {
    const { numbers, near } = await through({ out: { duplicate: 0.5 } }, 200);
    expect(new Set(numbers).size).to.equal(200);
    expect(numbers.length).to.equal(200 + near.statistics.out.duplicated);
    expect(near.statistics.out.duplicated).to.be.within(60, 140);
  });

  it('corrupt: one bit, anywhere', async () => {
    const ends = joined({ out: { corrupt: 1 } });
    const hit = new Set<number>();
    for (let i = 0; i < 300; i++) {
      ends.near.send(batchOf(packetOf(ends.slab, pattern(100))));
      await ends.clock.advance(0);
    }
    for (const { bytes } of ends.right.received) {
      const flipped = [...pattern(100)].map((byte, i) => byte ^ (bytes[i] as number));
      const bits = flipped.reduce((total, byte) => total + byte.toString(2).replaceAll('0', '').length, 0);
      expect(bits).to.equal(1);
      hit.add(flipped.findIndex((byte) => byte !== 0));
    }
    expect(Math.min(...hit)).to.be.below(5);
    expect(Math.max(...hit)).to.be.above(94);
  });

  it('reorder by packets: that many overtake, or the bound passes', async () => {
    const only =
      (n: number) =>
      (_: Uint8Array, { index }: { index: number }) =>
        index === n ? 'pass' : 'drop';
    const { numbers } = await through(
      { seed: 5, out: { reorder: { probability: 0.05, packets: 2, delay: 1000 } } },
      400,
    );
    expect([...numbers].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 400 }, (_, i) => i));
    const late = numbers.filter((number, i) => i >= 2 && number < (numbers[i - 1] as number));
    expect(late.length).to.be.within(5, 40);
    const alone = await through({ out: { reorder: { probability: 1, packets: 2, delay: 70 }, rule: only(0) } }, 3);
    expect(alone.right.received.map((p) => p.at)).to.deep.equal([70]);
    expect(alone.near.statistics.out.reordered).to.equal(1);
  });

  it('reorder by packets: exactly so many', async () => {
    const { clock, slab, near, right } = joined({ out: { reorder: { probability: 0.5, packets: 1 } }, seed: 1 });
    near.send(batchOf(...numbered(slab, 30)));
    await clock.advance(0);
    const numbers = numbersOf(right);
    const passedBy = numbers.map((number, i) => numbers.slice(0, i).filter((earlier) => earlier > number).length);
    expect(Math.max(...passedBy), 'one that is held is passed by the next that is not').to.equal(1);
    await clock.run();
    expect(right.received).to.have.length(30);
  });

  it('reorder by packets: whom too few overtake arrives at the bound, and leaves nothing behind', async () => {
    const { right, near } = await through({ out: { reorder: { probability: 0.3, packets: 50, delay: 5 } } }, 300);
    const lateness = right.received.map((p) => p.at - new DataView(p.bytes.buffer).getUint32(0));
    expect([...new Set(lateness)].sort()).to.deep.equal([0, 5]);
    expect(lateness.filter((ms) => ms > 0)).to.have.length(near.statistics.out.reordered);
  });

  it('reorder by time', async () => {
    const { right, near } = await through({ seed: 2, out: { reorder: { probability: 0.2, delay: 4.5 } } }, 100);
    const lateness = right.received.map((p) => p.at - new DataView(p.bytes.buffer).getUint32(0));
    expect([...new Set(lateness)].sort()).to.deep.equal([0, 4.5]);
    expect(lateness.filter((ms) => ms > 0)).to.have.length(near.statistics.out.reordered);
  });

  it('delay and jitter: within their bounds; packets overtake each other, or not', async () => {
    const loose = await through({ out: { delay: 10, jitter: 20 } }, 300);
    const lateness = loose.right.received.map((p) => p.at - new DataView(p.bytes.buffer).getUint32(0));
    expect(Math.min(...lateness)).to.be.within(10, 11);
    expect(Math.max(...lateness)).to.be.within(29, 30);
    const sorted = Array.from({ length: 300 }, (_, i) => i);
    expect(loose.numbers).not.to.deep.equal(sorted);
    expect((await through({ out: { delay: 10, jitter: 20, keepOrder: true } }, 300)).numbers).to.deep.equal(sorted);
  });

  it('rate and queue: at the rate, and beyond the queue nothing', async () => {
    for (const limit of [{ queue: 3 }, { queueBytes: 399 }]) {
      const { clock, slab, near, right } = joined({ out: { rate: 800_000, delay: 2, ...limit } });
      near.send(batchOf(...numbered(slab, 5)));
      await clock.advance(1);
      near.send(batchOf(...numbered(slab, 2, 5)));
      await clock.run();
      expect(numbersOf(right)).to.deep.equal([0, 1, 2, 5]);
      expect(right.received.map((p) => p.at)).to.deep.equal([3, 4, 5, 6]);
      expect(near.statistics.out.queueDropped).to.equal(3);
    }
  });

  it('rule: pass, drop or delay, per packet and direction', async () => {
    const infos: string[] = [];
    const ends = joined({
      both: {
        rule: (bytes, { direction, index, at }) => {
          infos.push(`${direction} ${index} ${at} ${bytes.length}`);
          return index === 1 ? 'drop' : index === 2 ? 7 : 'pass';
        },
      },
    });
    await ends.clock.advance(5);
    ends.near.send(batchOf(...numbered(ends.slab, 4)));
    ends.far.send(batchOf(...numbered(ends.slab, 1)));
    await ends.clock.run();
    expect(numbersOf(ends.right)).to.deep.equal([0, 3, 2]);
    expect(ends.right.received.map((p) => p.at)).to.deep.equal([5, 5, 12]);
    expect(infos).to.deep.equal(['out 0 5 100', 'out 1 5 100', 'out 2 5 100', 'out 3 5 100', 'in 0 5 100']);
    expect(ends.near.statistics.out).to.include({ ruled: 2, delivered: 3, lost: 0 });
    const bad = joined({ out: { rule: () => Number.NaN } });
    expect(() => bad.near.send(batchOf(...numbered(bad.slab, 1)))).to.throw(RangeError, 'the rule must return');
  });

  it('what one direction suffers does not change the fate of the other', async () => {
    const fate = async (outPackets: number) => {
      const ends = joined({ seed: 9, both: { loss: 0.5 } });
      for (let i = 0; i < 50; i++) {
        if (i < outPackets) ends.near.send(batchOf(...numbered(ends.slab, 1)));
        ends.far.send(batchOf(...numbered(ends.slab, 1, i)));
        await ends.clock.advance(0);
      }
      return numbersOf(ends.left);
    };
    expect(await fate(50)).to.deep.equal(await fate(0));
  });

  it('the two directions suffer differently', async () => {
    const { clock, slab, near, far, left, right } = joined({ both: { loss: 0.5 } });
    near.send(batchOf(...numbered(slab, 100)));
    far.send(batchOf(...numbered(slab, 100)));
    await clock.advance(0);
    expect(numbersOf(left)).not.to.deep.equal(numbersOf(right));
  });

  it('a full link beneath holds the sender up, and nothing is lost', async () => {
    const { clock, slab, near, left, right } = joined({});
    const packets = numbered(slab, 1000);
    const send = () => packets.splice(0, near.send(batchOf(...packets.slice(0, 100))));
    while (send().length > 0);
    expect(packets.length).to.be.within(600, 750);
    left.onWritable = () => {
      while (packets.length > 0 && send().length > 0);
    };
    await clock.advance(0);
    expect(numbersOf(right)).to.deep.equal(Array.from({ length: 1000 }, (_, i) => i));
    expect(left.events).to.deep.equal(new Array(left.events.length).fill('writable'));
    expect([left.slab.live, right.slab.live]).to.deep.equal([0, 0]);
  });

  it('close: what is under way is lost and freed, carrier and end of the link beneath are passed on', async () => {
    const { clock, slab, near, far, left, right } = joined({ both: { delay: 10, reorder: 0.3 } });
    near.send(batchOf(...numbered(slab, 40)));
    far.send(batchOf(...numbered(slab, 40)));
    await clock.advance(1);
    near.close();
    near.close();
    await clock.run();
    expect([left.received.length, right.received.length]).to.deep.equal([0, 0]);
    expect([left.slab.live, right.slab.live]).to.deep.equal([0, 0]);
    expect(right.events).to.deep.equal(['down']);
    expect(clock.pending.foreground).to.equal(0);
    expect(near.statistics.out.packets, 'the statistics stay').to.equal(40);
    expect(() => near.send(batchOf())).to.throw(Error, 'impaired(pipe0) was closed');
    const other = joined({});
    other.far.close();
    await other.clock.advance(0);
    expect(other.left.events).to.deep.equal(['down']);
  });

  it('closed by its own receiver, in the middle of a batch', async () => {
    const { clock, slab, near, far, left } = joined({});
    left.onReceive = () => near.close();
    far.send(batchOf(...numbered(slab, 200)));
    await clock.run();
    expect(left.received).to.have.length(64);
    expect(left.slab.live).to.equal(0);
  });

  it('a link beneath that ends while it is given a batch', () => {
    let up: LinkReceiver | undefined;
    const slab = new Slab();
    const sent: number[] = [];
    const near = impaired({
      name: 'tun0',
      capabilities: { mtu: 1500, checksumOffload: false, segmentationOffload: 0 },
      attach: (receiver) => {
        up = receiver;
      },
      send: (batch) => {
        up?.closed(new Error('gone'));
        for (let i = 0; i < batch.length; i++) sent.push((batch.packets[i] as Packet).length);
        return batch.length;
      },
      close: () => {},
    });
    const left = new Collector(new VirtualClock(), near);
    near.send(batchOf(...numbered(slab, 3)));
    expect(sent).to.deep.equal([100, 100, 100]);
    expect(left.events).to.deep.equal(['closed: gone']);
    expect(left.slab.live).to.equal(0);
  });

  it('names the option that is wrong', () => {
    const [link] = createPipe();
    const wrong: [string, ImpairedOptions][] = [
      ['loss', { both: { loss: 1.1 } }],
      ['loss', { in: { loss: -0.1 } }],
      ['duplicate', { out: { duplicate: Number.NaN } }],
      ['corrupt', { out: { corrupt: 2 } }],
      ['burstLoss.p', { out: { burstLoss: { p: 2, r: 1 } } }],
      ['burstLoss.lossBad', { out: { burstLoss: { p: 1, r: 1, lossBad: 3 } } }],
      ['reorder', { out: { reorder: 7 } }],
      ['reorder.packets', { out: { reorder: { probability: 0.1, packets: 0 } } }],
      ['reorder.delay', { out: { reorder: { probability: 0.1, delay: -1 } } }],
      ['delay', { out: { delay: -1 } }],
      ['jitter', { out: { jitter: Infinity } }],
      ['rate', { out: { rate: 0 } }],
      ['queue', { out: { rate: 1, queue: 0 } }],
      ['queue needs a rate', { out: { queue: 5 } }],
      ['queueBytes needs a rate', { out: { queueBytes: 5 } }],
      ['rule', { out: { rule: 'drop' as never } }],
      ['no option losss', { out: { losss: 0.1 } as never }],
      ['seed', { seed: Number.NaN }],
    ];
    for (const [name, options] of wrong) expect(() => impaired(link, options), name).to.throw(RangeError, name);
  });
});
