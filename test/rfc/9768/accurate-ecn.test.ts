/** RFC 9768: Accurate ECN. Segments of 1000 bytes; scripts of the same in test/packetdrill/accecn, most of which the kernel plays, too. */
import { expect } from 'chai';
import { IPPROTO_TCP, TCP_FASTOPEN, TCP_NODELAY } from '../../../src/socket/constants.ts';
import type { Socket } from '../../../src/socket/socket.ts';
import type { TcpConfig } from '../../../src/tcp/config.ts';
import { info } from '../../support/wire-info.ts';
import { type Injected, listening, type Seen, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1000;
const [ECT1, ECT0, CE] = [1, 2, 3];
const at = (i: number) => 1 + i * MSS;
/** What the peer's SYN has; 12 bytes more for the option. */
const OPTIONS = { mss: MSS + 12, sackOk: true };

/** AE, CWR, ECE as a number, and as the fixture's letters. */
const LETTERS = ['', 'E', 'C', 'CE', 'N', 'NE', 'NC', 'NCE'];
const flags = (ace: number, others = 'A') => others + LETTERS[ace];
const aceOf = ({ flags: letters }: Seen) =>
  (letters.includes('N') ? 4 : 0) + (letters.includes('C') ? 2 : 0) + (letters.includes('E') ? 1 : 0);
const bits24 = (value: number) => [(value >>> 16) & 255, (value >>> 8) & 255, value & 255];
/** The option in the order of kind 172: ECT(0), CE, ECT(1). */
const counters = (ect0: number, ce: number, ect1 = 1) => [172, 11, ...bits24(ect0), ...bits24(ce), ...bits24(ect1), 1];
/** ECT(1), CE and ECT(0) of the option, as far as they are there; undefined: no option. */
const optionOf = ({ options }: Seen) => options.accEcn;

/** Short segments go at once. */
const setup = (socket: Socket) => void socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);

interface Answer {
  readonly ace?: number;
  readonly ecn?: number;
  readonly option?: readonly number[];
  readonly sysctl?: Partial<TcpConfig>;
}

/** The DUT asked for Accurate ECN, and the peer has answered. @returns its acknowledgment */
function answered({ ace = 2, ecn = 0, option, sysctl }: Answer = {}): { t: WirePeer; ack: Seen } {
  const t = new WirePeer({ active: true, options: OPTIONS, setup, sysctl: { tcp_ecn: 3, tcp_recovery: 0, ...sysctl } });
  t.connect();
  t.expect({ flags: flags(7, 'S'), ecn: 0 });
  const raw = option ?? counters(1, 0);
  t.inject({ seq: 0, ack: 1, flags: flags(ace, 'SA'), ecn, options: { ...OPTIONS, raw } });
  return { t, ack: t.expect({ seq: 1, length: 0 }) };
}

/** The peer asks for Accurate ECN. @returns the SYN-ACK */
function asked(syn: Injected = {}, sysctl: Partial<TcpConfig> = {}): { t: WirePeer; synAck: Seen } {
  const t = listening({ options: OPTIONS, setup, sysctl: { tcp_ecn: 3, tcp_recovery: 0, ...sysctl } });
  t.inject({ seq: 0, flags: flags(7, 'S'), options: OPTIONS, ...syn });
  return { t, synAck: t.expect({ seq: 0 }) };
}

/** The peer's third ACK has come, and `count` segments are out. */
function serving(third: Injected = {}, count = 10): { t: WirePeer; sent: Seen[] } {
  const { t } = asked();
  t.inject({ flags: flags(2), options: { raw: counters(1, 0) }, ...third });
  t.accept();
  t.drain();
  t.write(count * MSS);
  return { t, sent: t.drain() };
}

describe('RFC 9768 3.1.1 and 3.1.2: negotiation', () => {
  it('table 2: the SYN-ACK tells how the SYN arrived', () => {
    for (const [ecn, ace] of [
      [0, 2],
      [ECT1, 3],
      [ECT0, 4],
      [CE, 6],
    ] as const) {
      const { synAck } = asked({ ecn });
      expect(aceOf(synAck), `SYN with ${ecn}`).to.equal(ace);
      expect(synAck.ecn).to.equal(0);
    }
  });

  it('table 2: who asks for RFC 3168 gets that, who asks for nothing nothing', () => {
    expect(aceOf(asked({ flags: flags(3, 'S') }).synAck)).to.equal(1);
    expect(aceOf(asked({ flags: 'S' }).synAck)).to.equal(0);
  });

  it('3.1.3: other flags of a SYN ask for Accurate ECN, or for what comes after it', () => {
    for (const ace of [1, 2, 4, 5, 6]) expect(aceOf(asked({ flags: flags(ace, 'S') }).synAck)).to.equal(2);
  });

  it('table 2: what the SYN-ACK says decides: Accurate ECN, RFC 3168 or none', () => {
    const modes = [0, 1, 2, 3, 4, 5, 6, 7].map((ace) => {
      const { t } = answered({ ace });
      t.write(MSS);
      const [data] = t.drain() as [Seen];
      if (data.ecn === 0 && aceOf(data) === 0) return 'none';
      return aceOf(data) === 5 ? 'accurate' : 'classic';
    });
    // 3.1.3: 101 is reserved, and means Accurate ECN.
    const accurate = 'accurate';
    expect(modes).to.deep.equal(['none', 'classic', accurate, accurate, accurate, accurate, accurate, 'none']);
  });

  it('tcp_ecn: 3 asks for it, 4 for RFC 3168, 5 for nothing; all three grant it', () => {
    for (const [tcp_ecn, ace] of [
      [3, 7],
      [4, 3],
      [5, 0],
    ] as const) {
      const t = new WirePeer({ active: true, sysctl: { tcp_ecn } });
      t.connect();
      expect(aceOf(t.expect())).to.equal(ace);
      expect(aceOf(asked({}, { tcp_ecn }).synAck)).to.equal(2);
    }
  });

  it('3.1.4.1: the first SYN that goes again still asks, the next does not', async () => {
    const t = new WirePeer({ active: true, sysctl: { tcp_ecn: 3 } });
    t.connect();
    await t.advance(2000);
    expect(t.drain().map(aceOf)).to.deep.equal([7, 7, 0]);
  });

  it('5.1: a SYN cookie keeps it', () => {
    const { t, synAck } = asked({ options: { ...OPTIONS, ts: [1, 0] } }, { tcp_syncookies: 2 });
    const stamp = synAck.options.ts?.[0] as number;
    t.inject({ flags: flags(2), options: { ts: [2, stamp], raw: counters(1, 0) } });
    t.accept();
    t.write(MSS);
    expect(aceOf(t.expect({ ecn: ECT0 }))).to.equal(5);
  });
});

describe('RFC 9768 3.1.5: implications', () => {
  it('the field of the latest SYN is the one to repeat', async () => {
    const { t } = asked();
    await t.advance(600);
    t.inject({ seq: 0, flags: flags(7, 'S'), ecn: CE, options: OPTIONS });
    expect(aceOf(t.expect())).to.equal(6);
  });

  it('a SYN without the flags: nothing of ours is ECN-capable, what comes is counted', async () => {
    const { t } = asked();
    await t.advance(600);
    t.inject({ seq: 0, flags: 'S', options: OPTIONS });
    t.inject({ seq: 1, flags: flags(2) });
    t.accept();
    t.drain();
    t.inject({ length: MSS, ecn: CE });
    expect(aceOf(t.expect({ ecn: 0 }))).to.equal(6);
  });
});

describe('RFC 9768 3.2.1: the counters', () => {
  it('start at 5 packets, 1 byte of ECT(0) and of ECT(1), and none of CE', () => {
    const { sent } = serving();
    expect(aceOf(sent[0] as Seen)).to.equal(5);
    expect(optionOf(sent[0] as Seen)).to.deep.equal([1, 0, 1]);
  });

  it('count packets in the ACE field, pure acknowledgments too, and payload in the option', () => {
    const { t } = serving();
    t.inject({ ecn: CE });
    t.inject({ length: 100, ecn: CE });
    const ack = t.drain().at(-1) as Seen;
    expect(aceOf(ack)).to.equal(7);
    expect(optionOf(ack)).to.deep.equal([1, 100, 1]);
  });

  it('wrap: the field has three bits', () => {
    const { t } = serving();
    for (let i = 0; i < 5; i++) t.inject({ length: 100, ecn: CE });
    expect(aceOf(t.drain().at(-1) as Seen)).to.equal((5 + 5) & 7);
  });
});

describe('RFC 9768 3.2.2: the ACE field', () => {
  it('3.2.2.1, table 3: the acknowledgment of the SYN-ACK tells how that arrived', () => {
    for (const [ecn, ace] of [
      [0, 2],
      [ECT1, 3],
      [ECT0, 4],
      [CE, 6],
    ] as const) {
      expect(aceOf(answered({ ecn }).ack)).to.equal(ace);
    }
  });

  it('3.2.2.1: and so does the answer to a SYN-ACK that comes again', async () => {
    const { t } = answered();
    await t.advance(1000);
    t.inject({ seq: 0, ack: 1, flags: flags(2, 'SA'), options: OPTIONS });
    expect(aceOf(t.expect())).to.equal(2);
    t.write(MSS);
    expect(aceOf(t.expect({ length: MSS }))).to.equal(5);
  });

  it('3.2.2.1: a SYN-ACK that was marked counts, for both', () => {
    const { t } = answered({ ecn: CE });
    t.write(MSS);
    expect(aceOf(t.expect())).to.equal(6);
  });

  it('3.2.2.3: what cannot have become so on the way is not believed, and nothing is sent ECN-capable', () => {
    // The SYN was not ECN-capable; that it arrived as ECT or CE cannot be.
    for (const ace of [3, 4, 6]) {
      const { t } = answered({ ace });
      t.write(MSS);
      t.expect({ length: MSS, ecn: 0 });
    }
    const { t } = answered({ ace: 4, sysctl: { tcp_ecn_fallback: false } });
    t.write(MSS);
    t.expect({ length: MSS, ecn: ECT0 });
  });

  it('3.2.2.4: a third ACK without flags: they are cleared on the way', () => {
    const { sent } = serving({ flags: 'A' });
    expect(sent[0]?.ecn).to.equal(0);
    expect(aceOf(sent[0] as Seen)).to.equal(5);
  });

  it('3.2.2.5.1: a change of the ECN field is acknowledged at once', async () => {
    const { t } = serving({}, 1);
    t.inject({ length: 100, ecn: ECT0, flags: 'PA' });
    t.drain();
    t.write(100);
    t.drain();
    t.inject({ length: 100, ecn: ECT0, flags: 'PA' });
    t.expectNothing();
    t.inject({ length: 100, ecn: CE, flags: 'PA' });
    expect(aceOf(t.expect())).to.equal(6);
  });

  it('3.2.2.5.1: marks are told of before the field can wrap', () => {
    const { t } = serving({}, 1);
    t.inject({ length: MSS, ecn: CE });
    t.drain();
    t.write(100);
    t.drain();
    for (let i = 0; i < 5; i++) t.inject({ length: 100, ecn: CE, flags: 'PA' });
    t.expectNothing();
    t.inject({ length: 100, ecn: CE, flags: 'PA' });
    expect(aceOf(t.expect({ length: 0 }))).to.equal((5 + 7) & 7);
  });

  it('3.2.2.5.2: the difference is what was marked, and reduces the window', () => {
    const { t } = serving();
    t.inject({ ack: at(3), flags: flags(7) });
    expect(info(t).tcpi_delivered_ce).to.equal(2);
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
    expect(t.counters.TCPDeliveredCE).to.equal(2);
  });

  it('3.2.2.5.2: an acknowledgment of nothing new is not read, it may be old', () => {
    const { t } = serving();
    t.inject({ ack: at(3), flags: flags(5) });
    t.inject({ ack: at(3), flags: flags(7) });
    expect(info(t).tcpi_delivered_ce).to.equal(0);
  });

  it('3.2.2.5.2, A.2: where the field may have wrapped the worst is assumed', () => {
    const { t } = serving();
    t.inject({ ack: at(9), flags: flags(6) });
    expect(info(t).tcpi_delivered_ce).to.equal(9);
  });

  it('A.2: unless the bytes of the option say otherwise', () => {
    const { t } = serving();
    t.inject({ ack: at(1), flags: flags(5), options: { raw: counters(1001, 0) } });
    t.inject({ ack: at(10), flags: flags(5), options: { raw: counters(10_001, 0) } });
    expect(info(t).tcpi_delivered_ce).to.equal(0);
  });

  it('A.2: of many segments, as many as their share of the bytes', () => {
    const { t } = asked({}, { tcp_init_cwnd: 21 });
    t.inject({ flags: flags(2), options: { raw: counters(1, 0) } });
    t.accept();
    t.write(21 * MSS);
    t.drain();
    t.inject({ ack: at(1), flags: flags(6), options: { raw: counters(1, 1000) } });
    // Ten of twenty: 1 + 10 = 5 + 11 modulo 8.
    t.inject({ ack: at(21), flags: flags((5 + 11) & 7), options: { raw: counters(10_001, 11_000) } });
    expect(info(t).tcpi_delivered_ce_bytes).to.equal(11_000);
    expect(info(t).tcpi_delivered_ce).to.equal(11);
  });

  it('A.2: or that it did wrap', () => {
    const { t } = serving();
    t.inject({ ack: at(1), flags: flags(6), options: { raw: counters(1, 1000) } });
    t.inject({ ack: at(9), flags: flags(6), options: { raw: counters(1, 9000) } });
    expect(info(t).tcpi_delivered_ce).to.equal(9);
    expect(info(t).tcpi_delivered_ce_bytes).to.equal(9000);
  });
});

describe('RFC 9768 3.2.3: the option', () => {
  it('is in the SYN-ACK, and in every segment once the peer has sent one', () => {
    const { t, synAck } = asked();
    expect(optionOf(synAck)).to.deep.equal([1, 0, 1]);
    t.inject({ flags: flags(2), options: { raw: counters(1, 0) } });
    t.accept();
    t.write(2 * MSS);
    expect(t.drain().map(optionOf)).to.deep.equal([
      [1, 0, 1],
      [1, 0, 1],
    ]);
  });

  it('3.2.3.2: not while none of the peer has come', () => {
    const { t, ack } = answered({ option: [] });
    expect(optionOf(ack)).to.equal(undefined);
    t.write(100);
    expect(optionOf(t.expect())).to.equal(undefined);
    t.inject({ length: 100, options: { raw: counters(1, 0) } });
    expect(optionOf(t.expect())).to.deep.equal([1, 0, 1]);
  });

  it('both orders are read', () => {
    const { t } = serving();
    t.inject({
      ack: at(1),
      flags: flags(5),
      options: { raw: [174, 11, ...bits24(1), ...bits24(0), ...bits24(1001), 1] },
    });
    expect(info(t).tcpi_delivered_e0_bytes).to.equal(1000);
    t.inject({ ack: at(2), flags: flags(5), options: { raw: [172, 5, ...bits24(2001)] } });
    expect(info(t).tcpi_delivered_e0_bytes).to.equal(2000);
    expect(info(t).tcpi_delivered_e1_bytes).to.equal(0);
  });

  it('counters have 24 bits, and go on where they wrap', () => {
    const { t } = serving();
    const jump = 7_000_000;
    for (let i = 1; i <= 3; i++) {
      t.inject({ ack: at(i), flags: flags(5), options: { raw: counters((1 + i * jump) % 2 ** 24, 0) } });
    }
    expect(info(t).tcpi_delivered_e0_bytes).to.equal(3 * jump);
  });

  it('3.2.3.2.2: a SYN-ACK that goes again has none, and the one after it no flags', async () => {
    const { t, synAck } = asked();
    await t.advance(3500);
    const again = t.drain();
    expect([synAck, ...again].map(optionOf)).to.deep.equal([[1, 0, 1], undefined, undefined]);
    expect([synAck, ...again].map(aceOf)).to.deep.equal([2, 2, 0]);
  });

  it('3.2.3.2.4: counters that start at zero were cleared on the way: they are not believed', () => {
    for (const cleared of [counters(0, 0, 0), counters(0, 0, 1), counters(1, 0, 0)]) {
      const { t } = serving({ options: { raw: cleared } });
      t.inject({ ack: at(9), flags: flags(5), options: { raw: counters(9001, 0) } });
      expect(info(t).tcpi_delivered_e0_bytes).to.equal(0);
      expect(info(t).tcpi_delivered_ce).to.equal(8);
    }
  });

  it('3.2.3.3: with 1 it goes when something has changed, twice', () => {
    const { t } = answered({ sysctl: { tcp_ecn_option: 1, tcp_ecn_option_beacon: 0 } });
    const sent = [0, 1, 2, 3].map(() => {
      t.write(100);
      return optionOf(t.expect());
    });
    expect(sent).to.deep.equal([[1, 0, 1], undefined, undefined, undefined]);
    t.inject({ length: 100, ecn: CE });
    expect(optionOf(t.expect())).to.deep.equal([1, 100, 1]);
  });

  it('with 0 never', () => {
    const { t, ack } = answered({ sysctl: { tcp_ecn_option: 0 } });
    t.inject({ length: 100, ecn: CE });
    expect([ack, ...t.drain()].map(optionOf)).to.deep.equal([undefined, undefined]);
    expect(optionOf(asked({}, { tcp_ecn_option: 0 }).synAck)).to.equal(undefined);
  });

  it('3.2.3.3: the beacon: three times a round trip at least', async () => {
    const { t } = asked({}, { tcp_ecn_option: 1 });
    await t.advance(90);
    t.inject({ flags: flags(2), options: { raw: counters(1, 0) } });
    t.accept();
    const sent: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      t.write(100);
      sent.push(optionOf(t.expect()) !== undefined);
      await t.advance(15);
    }
    expect(sent).to.deep.equal([true, false, true, false, true, false]);
  });

  it('5.2: beside a Fast Open cookie there is room for two counters', () => {
    const t = listening({
      setup: (socket) => void socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN, 5),
      sysctl: { tcp_ecn: 3, tcp_fastopen: 2 },
    });
    const options = { mss: MSS, sackOk: true, ts: [1, 0] as const, wscale: 7, raw: [34, 2] };
    t.inject({ seq: 0, flags: flags(7, 'S'), options });
    const synAck = t.expect();
    expect(optionOf(synAck)).to.deep.equal([1, 0]);
    expect((synAck.bytes[32] as number) >> 4).to.equal(15);
    expect(synAck.bytes.slice(-12, -10)).to.deep.equal(new Uint8Array([34, 10]));
  });

  it('leaves no less than a byte of payload out of account: a full segment is shorter by its 12 bytes', () => {
    const { sent } = serving();
    expect(sent.slice(0, -1).map(({ length }) => length)).to.deep.equal(new Array(sent.length - 1).fill(MSS));
  });
});
