/** RFC 1122 3.3.2: reassembly takes its time, and tells. Limits: Linux's inet_fragment. */
import { expect } from 'chai';
import { buildIp4, FragmentBench } from '../../support/wire-fragment.ts';

for (const family of [4, 6] as const) {
  const seconds = family === 4 ? 30 : 60;
  const [type, quotedHeader] = family === 4 ? [11, 20] : [3, 48];
  const clause = family === 4 ? 'RFC 1122 3.3.2' : 'RFC 8200 4.5';

  describe(`${clause}: the timeout of reassembly, IPv${family}`, () => {
    it(`after ${seconds} s a datagram that is not whole is dropped, and the sender told with its first fragment`, async () => {
      const t = new FragmentBench(family);
      const ping = t.ping(3000);
      t.send(t.piece(ping, 2000), t.piece(ping, 0, 1000));
      await t.clock.advance(seconds * 1000 - 1);
      t.expectNothing();
      expect(t.stack.reassembly.size).to.equal(1);
      await t.clock.advance(1);
      const quoted = t.expectError(type, 1);
      expect(Buffer.from(quoted).equals(t.piece(ping, 0, 1000).subarray(0, quoted.length))).to.equal(true);
      // RFC 1812 4.3.2.3: as much as fits into 576 bytes; RFC 4443 2.4 (c): into 1280.
      expect(quoted.length).to.equal(family === 4 ? 576 - 28 : quotedHeader + 1000);
      expect([t.count('ReasmTimeout'), t.count('ReasmFails'), t.count('ReasmOKs')]).to.deep.equal([1, 1, 0]);
      t.expectEmpty();
      t.close();
    });

    it('when the first fragment has not come nobody is told', async () => {
      const t = new FragmentBench(family);
      const ping = t.ping(3000);
      t.send(t.piece(ping, 1000, 2000), t.piece(ping, 2000));
      await t.clock.advance(seconds * 1000);
      t.expectNothing();
      expect([t.count('ReasmTimeout'), t.count('ReasmFails')]).to.deep.equal([1, 1]);
      t.expectEmpty();
      t.close();
    });

    it('the time is counted from the fragment that came first: others do not prolong it', async () => {
      const t = new FragmentBench(family);
      const ping = t.ping(4000);
      t.send(t.piece(ping, 0, 1000));
      await t.clock.advance(seconds * 900);
      t.send(t.piece(ping, 1000, 2000));
      await t.clock.advance(seconds * 100);
      t.expectError(type, 1);
      t.send(t.piece(ping, 2000));
      t.expectNothing();
      t.close();
    });

    it('each datagram has its own', async () => {
      const t = new FragmentBench(family);
      const [early, late] = [t.ping(2000), t.ping(2000)];
      t.send(t.piece(early, 0, 1000));
      await t.clock.advance(10_000);
      t.send(t.piece(late, 0, 1000));
      await t.clock.advance(seconds * 1000 - 10_000);
      t.expectError(type, 1);
      t.send(t.piece(late, 1000));
      t.expectEcho(late);
      t.expectEmpty();
      t.close();
    });

    it('also when nothing comes between them', async () => {
      const t = new FragmentBench(family);
      for (let i = 0; i < 3; i++) {
        t.send(t.piece(t.ping(2000), 0, 1000));
        await t.clock.advance(10_000);
      }
      for (let i = 0; i < 3; i++) {
        await t.clock.advance(i === 0 ? seconds * 1000 - 30_000 : 10_000);
        expect(t.count('ReasmTimeout')).to.equal(i + 1);
      }
      t.expectEmpty();
      t.close();
    });

    it('no more than the first fragment is quoted', async () => {
      const t = new FragmentBench(family);
      const ping = t.ping(64);
      t.send(t.piece(ping, 16, 32), t.piece(ping, 0, 16));
      await t.clock.advance(seconds * 1000);
      expect(Buffer.from(t.expectError(type, 1)).equals(t.piece(ping, 0, 16))).to.equal(true);
      t.close();
    });

    it('ipfrag_time, ip6frag_time', async () => {
      const t = new FragmentBench(family, { sysctl: { ipfrag_time: 3, ip6frag_time: 3 } });
      t.send(t.piece(t.ping(2000), 0, 1000));
      await t.clock.advance(3000);
      t.expectError(type, 1);
      t.close();
    });

    it('the errors are limited, as all are', async () => {
      const t = new FragmentBench(family);
      for (let i = 0; i < 100; i++) t.send(t.piece(t.ping(2000), 0, 1000));
      await t.clock.advance(seconds * 1000);
      expect(t.link.drain().length).to.be.within(1, 10);
      expect(t.count('ReasmTimeout')).to.equal(100);
      t.expectEmpty();
      t.close();
    });
  });

  describe(`fragments that never become whole, IPv${family}`, () => {
    it('take no more than ipfrag_high_thresh, ip6frag_high_thresh; beyond, fragments are refused until some have timed out', async () => {
      const limit = 200_000;
      const t = new FragmentBench(family, { sysctl: { ipfrag_high_thresh: limit, ip6frag_high_thresh: limit } });
      for (let i = 0; i < 3000; i++) {
        const ping = t.ping(64);
        t.send(t.piece(ping, 0, 32));
      }
      expect(t.stack.reassembly.memory(family)).to.be.within(limit, limit + 4000);
      expect(t.stack.slab.live * 65_600, 'what they really hold').to.be.at.most(limit);
      expect(t.count('ReasmFails')).to.equal(3000 - t.stack.reassembly.size);
      const ping = t.ping(2000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000));
      t.expectNothing();
      // What needs no reassembly does not notice.
      const small = t.ping(500);
      t.send(t.piece(small, 0, 500, { plain: true }));
      t.expectEcho(small);
      await t.clock.advance(60_000);
      t.link.drain();
      t.expectEmpty();
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000));
      t.expectEcho(ping);
      t.close();
    });

    it('all that a datagram takes counts: its record, and the headers of its first fragment', () => {
      const t = new FragmentBench(family);
      const [ping, other] = [t.ping(64), t.ping(64)];
      t.send(t.piece(ping, 8, 16));
      const { reassembly } = t.stack;
      expect(reassembly.memory(family)).to.be.within(1500, 2000);
      const before = reassembly.memory(family);
      t.send(t.piece(ping, 0, 8));
      expect(reassembly.memory(family) - before).to.equal(family === 4 ? 20 : 48);
      t.send(t.piece(other, 0, 8));
      t.send(t.piece(other, 0, 16));
      expect(reassembly.memory(family), 'a datagram that was spoiled').to.be.within(before + 750, before + 850);
      t.close();
    });

    it('the two families have a limit each', () => {
      const t = new FragmentBench(family, {
        sysctl: { [family === 4 ? 'ip6frag_high_thresh' : 'ipfrag_high_thresh']: 0 },
      });
      const ping = t.ping(2000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000));
      t.expectEcho(ping);
      t.close();
    });

    it('a limit of 0: none is put together', () => {
      const t = new FragmentBench(family, { sysctl: { ipfrag_high_thresh: 0, ip6frag_high_thresh: 0 } });
      const ping = t.ping(2000);
      t.send(t.piece(ping, 0, 1000), t.piece(ping, 1000));
      t.expectNothing();
      expect(t.count('ReasmFails')).to.equal(2);
      t.close();
    });
  });
}

describe('ipfrag_max_dist: fragments of a datagram that come far apart', () => {
  /** The first half of a datagram, so many fragments of others, the second half. */
  function apart(others: number, options = {}, source?: string): FragmentBench {
    const t = new FragmentBench(4, options);
    const ping = t.ping(2000);
    t.send(t.piece(ping, 0, 1000));
    const spec = source === undefined ? {} : { source };
    for (let i = 0; i < others; i++)
      t.send(buildIp4(new Uint8Array(8), { identification: 5000 + i, more: true, ...spec }));
    t.send(t.piece(ping, 1000));
    return t;
  }

  it('RFC 6864 3.2: after more than 64 others from the same host what was kept is of an older one', () => {
    expect(apart(63).seen()).to.have.length(1);
    const t = apart(64);
    t.expectNothing();
    expect(t.drops).to.include('ip-fragments-too-far-apart');
    expect(t.stack.counters).to.include({ ReasmFails: 1, ReasmOKs: 0 });
    t.close();
  });

  it('those of other hosts do not count', () => {
    const t = apart(200, {}, '10.0.0.77');
    expect(t.seen()).to.have.length(1);
    expect(t.stack.reassembly.sources).to.equal(1);
    t.close();
  });

  it('0: any number; and another number', () => {
    expect(apart(500, { sysctl: { ipfrag_max_dist: 0 } }).seen()).to.have.length(1);
    expect(apart(11, { sysctl: { ipfrag_max_dist: 10 } }).seen()).to.have.length(0);
  });

  it('a datagram of which nothing is kept is not begun again', () => {
    const t = new FragmentBench(4);
    const ping = t.ping(2000);
    t.send(t.piece(ping, 0, 1000), t.piece(ping, 992, 1992));
    for (let i = 0; i < 70; i++) t.send(buildIp4(new Uint8Array(8), { identification: 5000 + i, more: true }));
    t.send(t.piece(ping, 1000));
    expect(t.drops).to.deep.equal(['ip-fragment-overlap', 'ip-fragment-of-spoiled']);
    expect(t.stack.counters.ReasmFails).to.equal(1);
    t.close();
  });

  it('with thousands of hosts each has its own count', async () => {
    const t = new FragmentBench(4);
    const ping = t.ping(2000);
    const from = (i: number) => `10.1.${i >> 8}.${i & 255}`;
    for (let i = 0; i < 1500; i++) t.send(buildIp4(new Uint8Array(8), { source: from(i), more: true }));
    t.send(t.piece(ping, 0, 1000));
    expect(t.stack.reassembly.sources).to.equal(1501);
    for (let i = 0; i < 1500; i++) t.send(buildIp4(new Uint8Array(8), { source: from(i), more: true, offset: 8 }));
    t.send(t.piece(ping, 1000));
    t.expectEcho(ping);
    expect(t.stack.reassembly.sources).to.equal(1500);
    await t.clock.advance(30_000);
    expect(t.stack.reassembly.sources).to.equal(0);
    t.close();
  });

  it('a host is counted as long as a datagram of its is not whole', () => {
    const t = new FragmentBench(4);
    const [ping, other] = [t.ping(2000), t.ping(2000)];
    t.send(t.piece(ping, 0, 1000), t.piece(other, 0, 1000), t.piece(other, 1000));
    t.expectEcho(other);
    expect(t.stack.reassembly.sources).to.equal(1);
    for (let i = 0; i < 70; i++) t.send(buildIp4(new Uint8Array(8), { identification: 5000 + i, more: true }));
    t.send(t.piece(ping, 1000));
    t.expectNothing();
    t.close();
  });

  it('then the datagram begins again, and so does its time', async () => {
    const t = new FragmentBench(4);
    const ping = t.ping(2000);
    t.send(t.piece(ping, 1000));
    await t.clock.advance(29_000);
    for (let i = 0; i < 64; i++) t.send(buildIp4(new Uint8Array(8), { identification: 5000 + i, more: true }));
    t.send(t.piece(ping, 0, 1000));
    t.expectNothing();
    await t.clock.advance(29_000);
    t.send(t.piece(ping, 1000));
    t.expectEcho(ping);
    t.close();
  });
});
