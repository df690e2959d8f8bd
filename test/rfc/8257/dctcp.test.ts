/** RFC 8257: DCTCP. Segments of 1000 bytes. */
import { expect } from 'chai';
import { IPPROTO_TCP, TCP_CONGESTION } from '../../../src/socket/constants.ts';
import type { TcpConfig } from '../../../src/tcp/config.ts';
import { info } from '../../support/wire-info.ts';
import { listening, type PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1000;
const [ECT0, CE] = [2, 3];
const at = (i: number) => 1 + i * MSS;
const DCTCP = { tcp_congestion_control: 'dctcp', tcp_ecn: 0 };

function connected(
  sysctl: Partial<TcpConfig> = {},
  options: PeerOptions['options'] = { mss: MSS, sackOk: true },
): WirePeer {
  const t = new WirePeer({ active: true, options, sysctl: { ...DCTCP, ...sysctl } });
  t.connect();
  t.expect({ flags: 'SEC' });
  t.inject({ seq: 0, ack: 1, flags: 'SAE', options: t.synOptions });
  t.drain();
  return t;
}

/** All of a window is sent and acknowledged, `marked` segments of it with ECE. The next window begins. */
function round(t: WirePeer, from: number, count: number, marked: number): void {
  t.write(count * MSS);
  t.drain();
  for (let i = 1; i <= count; i++) t.inject({ ack: at(from + i), flags: i <= marked ? 'AE' : 'A' });
  t.drain();
}

describe('RFC 8257 3.1 and 3.6: ECN at all times', () => {
  it('3.6: the SYN is ECN-capable, and asks for ECN whatever tcp_ecn says', () => {
    const t = new WirePeer({ active: true, sysctl: DCTCP });
    t.connect();
    t.expect({ flags: 'SEC', ecn: ECT0 });
  });

  it('3.6: so is the SYN-ACK; a marked SYN is granted ECN', () => {
    for (const ecn of [0, ECT0, CE]) {
      const t = listening({ sysctl: DCTCP });
      t.inject({ seq: 0, flags: 'SEC', ecn, options: { mss: MSS } });
      t.expect({ flags: 'SAE', ecn: ECT0 });
    }
  });

  it('3.6: and the RST; acknowledgments and retransmissions', async () => {
    const t = connected({ tcp_early_retrans: 0 });
    t.inject({ length: MSS, ecn: ECT0 });
    t.expect({ length: 0, ecn: ECT0 });
    t.write(MSS);
    t.expect({ length: MSS, ecn: ECT0 });
    await t.advance(1000);
    for (const again of t.drain()) expect(again).to.include({ seq: at(0), length: MSS, ecn: ECT0 });
    t.inject({ length: MSS });
    t.drain();
    t.socket.close();
    t.expect({ flags: 'RA', ecn: ECT0 });
  });

  it('a peer without ECN: nothing is ECN-capable, and it is Reno', () => {
    const t = new WirePeer({ active: true, options: { mss: MSS, sackOk: true }, sysctl: DCTCP });
    t.connect();
    t.drain();
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: t.synOptions });
    t.drain();
    t.write(10 * MSS);
    expect(t.drain().every(({ ecn }) => ecn === 0)).to.equal(true);
    for (const end of [2, 3, 4]) t.inject({ ack: 1, options: { sack: [[at(1), at(end)]] } });
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
  });

  it('is chosen for a socket as any other', () => {
    const t = new WirePeer({
      active: true,
      setup: (socket) => void socket.setsockopt(IPPROTO_TCP, TCP_CONGESTION, 'dctcp'),
    });
    t.connect();
    t.expect({ flags: 'SEC', ecn: ECT0 });
  });
});

describe('RFC 8257 3.2: echoing congestion information on the receiver', () => {
  it('ECE is set if, and only if, the last data was marked', () => {
    const t = connected();
    const flags: string[] = [];
    for (const ecn of [ECT0, CE, CE, ECT0, CE, ECT0]) {
      t.inject({ length: MSS, ecn });
      flags.push(t.drain().at(-1)?.flags ?? 'none');
    }
    expect(flags).to.deep.equal(['A', 'AE', 'AE', 'A', 'AE', 'A']);
  });

  it('a change sends two acknowledgments: one for what was before, as it was, and one at once', async () => {
    const t = connected();
    // The conversation is one of questions and answers: acknowledgments wait.
    t.inject({ length: 100, ecn: ECT0 });
    t.write(100);
    t.drain();
    t.inject({ length: 100, ecn: ECT0 });
    t.expectNothing();
    t.inject({ length: 100, ecn: CE });
    t.expect({ ack: 201, flags: 'A' });
    t.expect({ ack: 301, flags: 'AE' });
    t.inject({ length: 100, ecn: CE });
    t.expectNothing();
    t.inject({ length: 100, ecn: ECT0 });
    t.expect({ ack: 401, flags: 'AE' });
    t.expect({ ack: 501, flags: 'A' });
  });

  it('CWR does not take the mark from what was not acknowledged yet', () => {
    const t = connected();
    t.inject({ length: 100, ecn: CE, flags: 'PA' });
    t.write(100);
    t.drain();
    t.inject({ length: 100, ecn: CE, flags: 'PA' });
    t.expectNothing();
    t.inject({ length: 100, ecn: ECT0, flags: 'PAC' });
    t.expect({ ack: 201, flags: 'AE' });
    t.expect({ ack: 301, flags: 'A' });
  });

  it('so within one batch, too', () => {
    const t = connected();
    t.injectAll([ECT0, CE, ECT0].map((ecn) => ({ length: MSS, ecn })));
    const sent = t.drain().map(({ ack, flags }) => [ack, flags]);
    expect(sent).to.deep.equal([
      [at(1), 'A'],
      [at(2), 'AE'],
      [at(3), 'A'],
    ]);
  });
});

describe('RFC 8257 3.3: processing echoed congestion indications on the sender', () => {
  it('alpha is 1 at the start: the first mark halves the window', () => {
    const t = connected();
    t.write(10 * MSS);
    t.drain();
    t.inject({ ack: at(1), flags: 'AE' });
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
  });

  it('alpha falls by a sixteenth a window without marks: cwnd = cwnd * (1 - alpha / 2)', () => {
    const t = connected();
    let sent = 0;
    for (let i = 0; i < 8; i++) {
      round(t, sent, 4, 0);
      sent += 4;
    }
    const { tcpi_snd_cwnd: cwnd } = info(t);
    expect(cwnd).to.be.at.least(10);
    t.write(cwnd * MSS);
    t.drain();
    t.inject({ ack: at(sent + 1), flags: 'AE' });
    // (15 / 16)^8 is 0.6, of which half is taken; the mark itself may end a window, and count.
    const taken = cwnd - info(t).tcpi_snd_ssthresh;
    expect(taken / cwnd).to.be.within(0.2, 0.35);
  });

  it('alpha goes to the share of marked segments', () => {
    const t = connected({ dctcp_alpha_on_init: 0 });
    let sent = 0;
    for (let i = 0; i < 100; i++) {
      round(t, sent, 10, 5);
      sent += 10;
    }
    const before = info(t).tcpi_snd_cwnd;
    t.write(before * MSS);
    t.drain();
    t.inject({ ack: at(sent + 1), flags: 'AE' });
    const given = 1 - info(t).tcpi_snd_ssthresh / before;
    expect(given).to.be.within(0.1, 0.4);
  });

  it('with no alpha a mark takes nothing', () => {
    const t = connected({ dctcp_alpha_on_init: 0, dctcp_shift_g: 10 });
    t.write(10 * MSS);
    t.drain();
    t.inject({ ack: at(1), flags: 'AE' });
    expect(info(t).tcpi_snd_ssthresh).to.equal(10);
  });

  it('once a window, with CWR', () => {
    const t = connected();
    t.write(10 * MSS);
    t.drain();
    for (let i = 1; i <= 10; i++) t.inject({ ack: at(i), flags: 'AE' });
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
    t.write(2 * MSS);
    expect(t.drain().map(({ flags }) => flags.includes('C'))).to.deep.equal([true, false]);
  });
});

describe('RFC 8257 3.5: handling of packet loss', () => {
  it('as any other TCP: half the window, whatever alpha is', () => {
    const t = connected({ dctcp_alpha_on_init: 0, tcp_recovery: 0 });
    t.write(10 * MSS);
    t.drain();
    for (const end of [2, 3, 4]) t.inject({ ack: 1, options: { sack: [[at(1), at(end)]] } });
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
  });

  it('a loss in the window that was reduced for marks counts as well', () => {
    const t = connected({ dctcp_alpha_on_init: 0, dctcp_shift_g: 10, tcp_recovery: 0 });
    t.write(10 * MSS);
    t.drain();
    t.inject({ ack: 1, flags: 'AE', options: { sack: [[at(1), at(2)]] } });
    expect(info(t).tcpi_snd_ssthresh).to.equal(10);
    for (const end of [3, 4]) t.inject({ ack: 1, options: { sack: [[at(1), at(end)]] } });
    expect(info(t).tcpi_snd_ssthresh).to.be.at.most(5);
  });
});
