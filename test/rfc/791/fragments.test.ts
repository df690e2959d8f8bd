/** RFC 791 3.2: what fragments are put together, and how datagrams are cut. The order of fragments: test/rfc/815. */
import { expect } from 'chai';
import { address, TapLink } from '../../stack/tap.ts';
import { buildIp4, FragmentBench, putTogether, readIp } from '../../support/wire-fragment.ts';

describe('RFC 791 3.2: reassembly', () => {
  it('fragments with the same identification, source, destination and protocol are a datagram', () => {
    const t = new FragmentBench(4);
    const ping = t.ping(3000);
    t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000, 2000));
    t.expectNothing();
    t.send(t.piece(ping, 2000));
    t.expectEcho(ping);
    expect(t.stack.counters).to.include({ InReceives: 3, InDelivers: 1, ReasmReqds: 3, ReasmOKs: 1, ReasmFails: 0 });
    t.close();
  });

  for (const [what, spec] of [
    ['identification', { identification: 7 }],
    ['source', { source: '10.0.0.3' }],
    ['protocol', { protocol: 17 }],
  ] as const) {
    it(`they are not, when one has another ${what}`, () => {
      const t = new FragmentBench(4);
      const ping = t.ping(2000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000, 2000, spec));
      t.expectNothing();
      expect(t.stack.reassembly.size).to.equal(2);
      t.send(t.piece(ping, 1000));
      t.expectEcho(ping);
      t.close();
    });
  }

  it('nor when one is for another address of ours', () => {
    const t = new FragmentBench(4);
    const ping = t.ping(2000);
    t.stack.addInterface(new TapLink('other'), {
      addresses: [{ address: address('10.0.0.9'), bits: 32 }],
    });
    t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000, 2000, { destination: '10.0.0.9' }));
    t.expectNothing();
    expect(t.stack.reassembly.size).to.equal(2);
    t.close();
  });

  it('options are those of the first fragment, whether or not the others have them', () => {
    const t = new FragmentBench(4);
    const ping = t.ping(2000);
    const options = Uint8Array.of(1, 1, 1, 0);
    t.send(t.piece(ping, 1000), t.piece(ping, 0, 1000, { options }));
    t.expectEcho(ping);
    const other = t.ping(2000);
    t.send(t.piece(other, 0, 1000), t.piece(other, 1000, 2000, { options }));
    t.expectEcho(other);
    t.close();
  });

  it('fragments are cut at multiples of 8 bytes: one that is not, and not the last, is dropped', () => {
    const t = new FragmentBench(4);
    const ping = t.ping(2000);
    t.send(t.piece(ping, 0, 1004), t.piece(ping, 1000));
    t.expectNothing();
    expect(t.drops).to.deep.equal(['ip-fragment-uneven']);
    t.send(t.piece(ping, 0, 1000));
    t.expectEcho(ping);
    t.close();
  });

  it('the largest datagram there can be: 65,535 bytes with its header', () => {
    const t = new FragmentBench(4);
    const ping = t.ping(65_515);
    t.send(t.piece(ping, 0, 32_000), t.piece(ping, 32_000));
    expect(t.expectEcho(ping).length).to.equal(65_535);
    t.close();
  });

  it('a fragment that would make it longer is dropped', () => {
    const t = new FragmentBench(4);
    const ping = t.ping(65_515);
    const beyond = { identification: ping.identification, offset: 65_512 };
    t.send(t.piece(ping, 0, 32_000), buildIp4(new Uint8Array(4), beyond), buildIp4(new Uint8Array(200), beyond));
    t.expectNothing();
    expect(t.drops).to.deep.equal(['ip-fragment-too-far', 'ip-fragment-too-far']);
    t.send(t.piece(ping, 32_000));
    t.expectEcho(ping);
    t.close();
  });

  it('nor may the options of the first fragment make it longer', () => {
    const t = new FragmentBench(4);
    const ping = t.ping(65_515);
    t.send(t.piece(ping, 32_000), t.piece(ping, 0, 32_000, { options: new Uint8Array(4).fill(1) }));
    t.expectNothing();
    expect(t.stack.counters).to.include({ ReasmFails: 1, ReasmOKs: 0 });
    t.close();
  });

  for (const [what, start, end, more] of [
    ['another end', 2000, 2800, false],
    ['more behind the end', 3000, 3080, true],
  ] as const) {
    it(`fragments that contradict each other are good for nothing: ${what}`, () => {
      const t = new FragmentBench(4);
      const ping = t.ping(3080);
      const short = { bytes: ping.bytes.subarray(0, 3000), identification: ping.identification };
      t.send(t.piece(short, 2000), t.piece(ping, start, end, { more }));
      expect(t.drops).to.deep.equal(['ip-fragment-misfit']);
      t.send(t.piece(short, 0, 1000), t.piece(short, 1000, 2000));
      t.expectNothing();
      t.close();
    });
  }

  it('an end before what has come, or a fragment without a byte, likewise', () => {
    for (const [start, end, more] of [
      [80, 800, false],
      [2000, 2000, true],
    ] as const) {
      const t = new FragmentBench(4);
      const ping = t.ping(3000);
      t.send(t.piece(ping, 1000, 2000), t.piece(ping, start, end, { more }));
      expect(t.drops).to.deep.equal(['ip-fragment-misfit']);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 2000));
      t.expectNothing();
      t.close();
    }
  });
});

describe('RFC 791 3.2: fragmentation', () => {
  for (const mtu of [68, 69, 576, 1280, 1500]) {
    it(`an answer that is too large for MTU ${mtu} goes in fragments that are not`, () => {
      const t = new FragmentBench(4, { mtu });
      const ping = t.ping(2003);
      t.send(t.piece(ping, 0));
      const packets = [...t.link.sent];
      t.expectEcho(ping);
      const most = 20 + ((mtu - 20) & ~7);
      expect(packets.slice(0, -1).every(({ length }) => length === most)).to.equal(true);
      expect(packets.at(-1)?.length).to.be.at.most(mtu);
      const count = Math.ceil(2003 / (most - 20));
      expect(t.stack.counters).to.include({ FragOKs: 1, FragCreates: count, FragFails: 0, OutRequests: count });
      t.close();
    });
  }

  it('what fits goes whole', () => {
    const t = new FragmentBench(4, { mtu: 576 });
    const ping = t.ping(556);
    t.send(t.piece(ping, 0));
    expect(t.link.sent).to.have.length(1);
    expect(t.expectEcho(ping).isFragment).to.equal(false);
    expect(t.stack.counters).to.include({ FragOKs: 0, FragCreates: 0 });
    t.close();
  });

  it('each datagram has an identification of its own', () => {
    const t = new FragmentBench(4, { mtu: 576 });
    const numbers = Array.from({ length: 50 }, () => {
      const ping = t.ping(1000);
      t.send(t.piece(ping, 0));
      return t.expectEcho(ping).identification;
    });
    expect(new Set(numbers).size).to.equal(50);
    t.close();
  });

  it('what finds no room is lost and counted; nothing is held', () => {
    const t = new FragmentBench(4, { mtu: 68 });
    t.link.room = 200;
    const ping = t.ping(60_000);
    t.send(t.piece(ping, 0, 30_000), t.piece(ping, 30_000));
    const went = t.link.drain();
    expect(went).to.have.length(200);
    expect(went.map((bytes) => readIp(bytes).offset)).to.deep.equal(went.map((_, i) => i * 48));
    expect(t.stack.counters).to.include({ FragOKs: 0, FragFails: 1 });
    t.link.room = Infinity;
    t.link.receiver.writable();
    t.clock.advance(0);
    t.close();
  });

  it('a datagram of 65,507 bytes at MTU 68 is 1,365 fragments: batches go by themselves', () => {
    const t = new FragmentBench(4, { mtu: 68 });
    const ping = t.ping(65_515);
    t.send(t.piece(ping, 0, 30_000), t.piece(ping, 30_000));
    expect(t.link.sent).to.have.length(1365);
    expect(putTogether(t.link.sent)).to.have.length(65_515);
    t.expectEcho(ping);
    t.close();
  });
});
