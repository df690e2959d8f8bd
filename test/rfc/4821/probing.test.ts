/** RFC 4821: packetization layer path MTU discovery, as Linux does it (tcp_mtu_probing). */
import { expect } from 'chai';
import { itIpv4, MORE_HEADER } from '../../support/wire-family.ts';
import { establishedAfter, info } from '../../support/wire-info.ts';
import { tooLarge } from '../../support/wire-mtu.ts';
import { established, type PeerOptions, type Seen, type WirePeer } from '../../support/wire-peer.ts';

const PROBING = { tcp_mtu_probing: 2, tcp_base_mss: 512, tcp_timestamps: false, tcp_early_retrans: 0 };

/** An active connection whose MSS is 512: the search is between packets of 552 and 1500 bytes. */
function searching(options: PeerOptions = {}): Promise<WirePeer> {
  const { sysctl, ...others } = options;
  return established({
    active: true,
    win: 65_535,
    options: { mss: 1460, sackOk: true, wscale: 3 },
    sysctl: { ...PROBING, ...sysctl },
    ...others,
  });
}

/** Ten segments of 512 are acknowledged: a probe follows, and 18 segments. */
async function probed(options: PeerOptions = {}): Promise<{ t: WirePeer; flight: Seen[] }> {
  const t = await searching(options);
  t.write(60_000);
  expect(t.drain().length).to.equal(10);
  await t.advance(50);
  t.inject({ ack: 5121 });
  return { t, flight: t.drain() };
}

function lengths(segments: readonly Seen[]): number[] {
  return segments.map(({ length }) => length);
}

describe('RFC 4821: probing', () => {
  it('7.2: what is sent at first is tcp_base_mss', async () => {
    const t = await searching();
    t.write(3000);
    expect(lengths(t.drain())).to.deep.equal([512, 512, 512, 512, 512, 440]);
    expect(info(t)).to.include({ tcpi_snd_mss: 512, tcpi_pmtu: 1500 + MORE_HEADER });
  });

  it('off by default, and with 1 until a black hole is suspected', async () => {
    for (const tcp_mtu_probing of [0, 1]) {
      const t = await searching({ sysctl: { tcp_mtu_probing } });
      t.write(60_000);
      t.drain();
      t.inject({ ack: 14_601 });
      for (const length of lengths(t.drain())) expect(length).to.equal(1460);
    }
  });

  it('7.3, 7.4: a probe is one segment, halfway between what works and what may; it counts for two', async () => {
    const { flight } = await probed();
    expect(flight.length).to.equal(19);
    expect(lengths(flight)).to.deep.equal([986, ...Array.from({ length: 18 }, () => 512)]);
  });

  it('7.6.1: a probe that is acknowledged is the MSS from then on; cwnd is as many bytes as before', async () => {
    const { t } = await probed();
    await t.advance(50);
    t.inject({ ack: 6107 });
    expect(info(t)).to.include({ tcpi_snd_mss: 986 });
    // 19 segments in packets of 552 bytes, counted in packets of 1026; and it grows by the one acknowledged.
    expect(info(t).tcpi_snd_cwnd).to.be.within(10, 11);
    expect(t.counters.TCPMTUPSuccess).to.equal(1);
  });

  it('7.6.1: it must be acknowledged as a whole', async () => {
    const { t } = await probed();
    t.inject({ ack: 6106 });
    expect(info(t).tcpi_snd_mss).to.equal(512);
    expect(t.counters.TCPMTUPSuccess).to.equal(0);
  });

  it('7.3: the search goes on upwards, and ends within tcp_probe_threshold of the largest', async () => {
    const t = await searching({ sysctl: { tcp_init_cwnd: 20 } });
    const sizes: number[] = [];
    for (let round = 0; round < 30; round++) {
      t.write(30_000);
      await t.advance(20);
      const flight = t.drain();
      for (const { length } of flight) if (length > (sizes.at(-1) ?? 512)) sizes.push(length);
      const end = Math.max(...flight.map(({ seq, length }) => seq + length));
      t.inject({ ack: end });
    }
    expect(sizes).to.deep.equal([986, 1223, 1341, 1400, 1430, 1445, 1452, 1456]);
    // 1496 of 1500 bytes: what is left is not worth a probe.
    expect(info(t).tcpi_snd_mss).to.equal(1456);
  });

  it('7.6.2: a probe that alone is lost goes again as segments of the MSS; cwnd and ssthresh stay', async () => {
    const { t } = await probed();
    await t.advance(50);
    t.inject({ ack: 5121, options: { sack: [[6107, 7643]] } });
    const [first, second] = t.drain();
    expect([first?.seq, first?.length]).to.deep.equal([5121, 512]);
    expect([second?.seq, second?.length]).to.deep.equal([5633, 474]);
    expect(info(t)).to.include({ tcpi_snd_mss: 512, tcpi_snd_cwnd: 20, tcpi_snd_ssthresh: 0x7fffffff });
    expect(t.counters.TCPMTUPFail).to.equal(1);
    expect(t.counters.TCPSackRecovery).to.equal(0);
  });

  it('7.6.2: the next probe is smaller', async () => {
    const { t, flight } = await probed();
    await t.advance(50);
    t.inject({ ack: 5121, options: { sack: [[6107, 7643]] } });
    const end = 15_323;
    expect((flight.at(-1) as Seen).seq + 512).to.equal(end);
    const more = t.drain();
    await t.advance(50);
    t.inject({ ack: Math.max(end, ...more.map(({ seq, length }) => seq + length)) });
    // Between 552 and 1025.
    expect(t.drain()[0]?.length).to.equal(748);
  });

  it('7.6.2: something else lost before it: an ordinary recovery', async () => {
    const t = await searching();
    t.write(60_000);
    t.drain();
    await t.advance(50);
    // All but the last of the first ten.
    t.inject({ ack: 4609 });
    t.drain();
    await t.advance(50);
    t.inject({ ack: 4609, options: { sack: [[6107, 8155]] } });
    expect(t.drain()[0]?.seq).to.equal(4609);
    expect(info(t).tcpi_ca_state).to.equal(3);
    expect(t.counters.TCPMTUPFail).to.equal(0);
  });

  it('7.4: no probe without enough data behind it, with a small cwnd, or with a small window', async () => {
    const little = await searching();
    little.write(5120 + 986 + 3 * 512);
    little.drain();
    little.inject({ ack: 5121 });
    expect(lengths(little.drain())[0]).to.equal(512);
    const slow = await searching({ sysctl: { tcp_init_cwnd: 4 } });
    slow.write(60_000);
    slow.drain();
    slow.inject({ ack: 2049 });
    expect(lengths(slow.drain())[0]).to.equal(512);
    const narrow = await searching();
    narrow.write(60_000);
    narrow.drain();
    narrow.inject({ ack: 5121, win: Math.floor((986 + 3 * 512) / 8) });
    expect(lengths(narrow.drain())[0]).to.equal(512);
  });

  it('7.4: what is in flight must leave room for it: until then nothing goes', async () => {
    const t = await searching({ sysctl: { tcp_init_cwnd: 11 } });
    t.write(60_000);
    // Eleven are allowed and nothing is in flight: the probe goes at once, and takes two places.
    const flight = t.drain();
    expect(lengths(flight)[0]).to.equal(986);
    expect(flight.length).to.equal(10);
  });

  it('7.4: one probe at a time', async () => {
    const t = await searching({ sysctl: { tcp_init_cwnd: 40 } });
    t.write(5000);
    expect(lengths(t.drain())[0]).to.equal(986);
    t.write(10_000);
    for (const length of lengths(t.drain())) expect(length).to.be.at.most(512);
  });

  itIpv4('7.2: what a router says bounds the search', async () => {
    const { t, flight } = await probed();
    tooLarge(t, flight[0] as Seen, 1000);
    expect(info(t)).to.include({ tcpi_pmtu: 1000, tcpi_snd_mss: 512 });
  });

  it('a passive connection sends what it did until the first probe tells (Linux)', async () => {
    const t = await established({
      options: { mss: 1460, sackOk: true, wscale: 3 },
      sysctl: PROBING,
    });
    t.write(60_000);
    for (const length of lengths(t.drain())) expect(length).to.equal(1460);
    t.inject({ ack: 14_601 });
    expect(lengths(t.drain())[0]).to.equal(986);
    t.inject({ ack: 14_601 + 986 });
    expect(info(t).tcpi_snd_mss).to.equal(986);
  });

  it('7.8: a search that is over begins again after tcp_probe_interval', async () => {
    const t = (await probed({ sysctl: { tcp_probe_threshold: 480, tcp_probe_interval: 10 } })).t;
    await t.advance(50);
    // 986 is too large: between 552 and 1025 there is not enough to search.
    t.inject({ ack: 5121, options: { sack: [[6107, 7643]] } });
    let acked = 15_323;
    const round = async (write = 0): Promise<number> => {
      if (write > 0) t.write(write);
      const flight = t.drain();
      acked = Math.max(acked, ...flight.map(({ seq, length }) => seq + length));
      await t.advance(50);
      t.inject({ ack: acked });
      return Math.max(...lengths(flight));
    };
    // What was written before is sent to its end.
    let largest = 0;
    while (acked < 60_001) largest = Math.max(largest, await round());
    expect(largest).to.equal(512);
    expect(await round(20_000)).to.equal(512);
    while (acked < 80_001) await round();
    await t.advance(10_000);
    const later = [await round(40_000), await round(), await round()];
    expect(later).to.include(986);
  });
});

describe('RFC 4821 7.7: black holes', () => {
  const sysctl = { tcp_mtu_probing: 1, tcp_early_retrans: 0 };

  async function timeouts(options: PeerOptions['sysctl'], count: number): Promise<number[]> {
    const t = await establishedAfter(100, { sysctl: { ...sysctl, ...options } });
    t.write(1460);
    t.expect({ length: 1460 });
    const seen: number[] = [];
    while (seen.length < count) {
      await t.advance(100);
      const [again] = t.drain();
      if (again !== undefined) seen.push(again.length);
    }
    return seen;
  }

  it('after tcp_retries1 the MSS falls to tcp_base_mss, then by half for each timeout', async () => {
    expect(await timeouts({}, 7)).to.deep.equal([1460, 1460, 1460, 1024, 512, 256, 128]);
  });

  it('not below tcp_mtu_probe_floor', async () => {
    expect(await timeouts({ tcp_mtu_probe_floor: 300 }, 7)).to.deep.equal([1460, 1460, 1460, 1024, 512, 300, 300]);
  });

  it('nor below tcp_min_snd_mss', async () => {
    expect(await timeouts({ tcp_min_snd_mss: 700 }, 6)).to.deep.equal([1460, 1460, 1460, 1024, 700, 700]);
  });

  it('with 0 the segment stays what it is', async () => {
    expect(await timeouts({ tcp_mtu_probing: 0 }, 6)).to.deep.equal([1460, 1460, 1460, 1460, 1460, 1460]);
  });

  it('what gets through then is searched upwards from', async () => {
    const t = await establishedAfter(100, {
      options: { mss: 1460, sackOk: true, wscale: 3 },
      sysctl: { ...sysctl, tcp_timestamps: false },
    });
    t.write(1460);
    t.expect({ length: 1460 });
    await t.advance(5000);
    const all = t.drain();
    expect(all.at(-1)?.length).to.equal(1024);
    t.inject({ ack: 1461 });
    expect(info(t).tcpi_snd_mss).to.equal(1024);
    let acked = 1461;
    let largest = 0;
    for (let i = 0; i < 8; i++) {
      t.write(40_000);
      const flight = t.drain();
      largest = Math.max(largest, ...lengths(flight));
      acked = Math.max(acked, ...flight.map(({ seq, length }) => seq + length));
      await t.advance(50);
      t.inject({ ack: acked });
    }
    expect(largest).to.be.greaterThan(1024);
  });
});
