/** RFC 3168 6.1: ECN in TCP. Segments of 1000 bytes; scripts of the same in test/packetdrill/ecn are played against the kernel, too. */
import { expect } from 'chai';
import { info } from '../../support/wire-info.ts';
import { established, listening, type PeerOptions, WirePeer } from '../../support/wire-peer.ts';

const MSS = 1000;
const [ECT1, ECT0, CE] = [1, 2, 3];
const at = (i: number) => 1 + i * MSS;
const asks: PeerOptions = { active: true, sysctl: { tcp_ecn: 1 } };
const SACK = { options: { mss: MSS, sackOk: true } };

/** The DUT asked for ECN, and the peer agreed. */
function agreed(options: PeerOptions = {}): WirePeer {
  const t = new WirePeer({ ...asks, ...SACK, ...options, sysctl: { tcp_ecn: 1, ...options.sysctl } });
  t.connect();
  t.expect({ flags: 'SEC' });
  t.inject({ seq: 0, ack: 1, flags: 'SAE', options: t.synOptions });
  t.expect({ flags: 'A', ecn: 0 });
  return t;
}

describe('RFC 3168 6.1.1: TCP initialization', () => {
  it('an ECN-setup SYN has ECE and CWR, and is not ECN-capable itself', () => {
    const t = new WirePeer(asks);
    t.connect();
    t.expect({ flags: 'SEC', ecn: 0 });
  });

  it('an ECN-setup SYN-ACK has ECE and not CWR, and is not ECN-capable itself', () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'SEC', options: { mss: MSS } });
    t.expect({ flags: 'SAE', ecn: 0 });
  });

  it('not in answer to another SYN', () => {
    for (const flags of ['S', 'SE', 'SC']) {
      const t = listening();
      t.inject({ seq: 0, flags, options: { mss: MSS } });
      t.expect({ flags: 'SA', ecn: 0 });
    }
  });

  it('not when ECN is off', () => {
    const t = listening({ sysctl: { tcp_ecn: 0 } });
    t.inject({ seq: 0, flags: 'SEC', options: { mss: MSS } });
    t.expect({ flags: 'SA' });
  });

  it('nothing is asked for by default', () => {
    const t = new WirePeer({ active: true });
    t.connect();
    t.expect({ flags: 'S' });
  });

  it('after a SYN-ACK that is not ECN-setup nothing is ECN-capable', () => {
    for (const flags of ['SA', 'SAECN']) {
      const t = new WirePeer(asks);
      t.connect();
      t.drain();
      t.inject({ seq: 0, ack: 1, flags, options: { mss: MSS } });
      t.expect({ flags: 'A' });
      t.write(MSS);
      t.expect({ length: MSS, ecn: 0 });
    }
  });

  it('6.1.1.1: without an answer the SYN goes again without the flags', async () => {
    const t = new WirePeer(asks);
    t.connect();
    t.expect({ flags: 'SEC' });
    await t.advance(1000);
    t.expect({ flags: 'S' });
  });

  it('6.1.1.1: a choice: tcp_ecn_fallback', async () => {
    const t = new WirePeer({ active: true, sysctl: { tcp_ecn: 1, tcp_ecn_fallback: false } });
    t.connect();
    t.expect({ flags: 'SEC' });
    await t.advance(1000);
    t.expect({ flags: 'SEC' });
  });
});

describe('RFC 3168 6.1.2: the TCP sender', () => {
  it('new data is ECT(0)', () => {
    const t = agreed();
    t.write(2 * MSS);
    t.expect({ seq: at(0), ecn: ECT0 });
    t.expect({ seq: at(1), ecn: ECT0 });
  });

  it('ECE is answered as a loss is, by half the window, without a retransmission', () => {
    const t = agreed();
    t.write(10 * MSS);
    t.drain();
    t.inject({ ack: at(2), flags: 'AE' });
    t.expectNothing();
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
    expect(info(t).tcpi_ca_state).to.equal(2);
  });

  it('once in a window of data', () => {
    const t = agreed();
    t.write(10 * MSS);
    t.drain();
    for (let i = 1; i <= 10; i++) t.inject({ ack: at(i), flags: 'AE' });
    expect(info(t).tcpi_snd_ssthresh).to.equal(5);
    expect(info(t).tcpi_snd_cwnd).to.be.at.most(5);
  });

  it('CWR is on the first new data after the reduction, and on no other', () => {
    const t = agreed();
    t.write(10 * MSS);
    t.drain();
    t.inject({ ack: at(10), flags: 'AE' });
    t.write(4 * MSS);
    const flags = t.drain().map((seen) => seen.flags);
    expect(flags[0]).to.include('C');
    expect(flags.slice(1).join('')).not.to.include('C');
    t.inject({ ack: at(14) });
    t.write(MSS);
    t.expect({ seq: at(14), flags: 'PA', ecn: ECT0 });
  });

  it('CWR follows a fast retransmit, too, and is not on the retransmission', () => {
    const t = agreed({ sysctl: { tcp_recovery: 0, tcp_early_retrans: 0 } });
    t.write(10 * MSS);
    t.drain();
    for (const end of [2, 3, 4]) t.inject({ ack: at(0), options: { sack: [[at(1), at(end)]] } });
    t.expect({ seq: at(0), flags: 'A', ecn: 0 });
    t.inject({ ack: at(10) });
    t.write(MSS);
    t.expect({ seq: at(10), flags: 'PAC', ecn: ECT0 });
  });

  it('what was reduced is not undone when one acknowledgment of the recovery had ECE, whichever (RFC 4015 3.2 [MUST])', () => {
    for (const marked of [undefined, 2, 3, 4]) {
      const t = agreed({ sysctl: { tcp_recovery: 0, tcp_early_retrans: 0 } });
      t.write(10 * MSS);
      t.drain();
      for (let i = 0; i < 4; i++) {
        const flags = i === marked ? 'AE' : 'A';
        t.inject({ ack: at(0), flags, options: { sack: [[at(1), at(2 + i)]] } });
      }
      t.expect({ seq: at(0) });
      // A duplicate report: nothing had been lost.
      t.inject({ ack: at(10), flags: marked === 4 ? 'AE' : 'A', options: { sack: [[at(0), at(1)]] } });
      expect(t.counters.TCPFullUndo, `${marked}`).to.equal(1);
      if (marked === undefined) expect(info(t).tcpi_snd_ssthresh).to.equal(0x7fffffff);
      else expect(info(t).tcpi_snd_ssthresh, `${marked}`).to.be.at.most(5);
    }
  });

  it('nor is there anything to undo of an earlier recovery once ECE was answered (Linux)', () => {
    const t = agreed({ sysctl: { tcp_recovery: 0, tcp_early_retrans: 0 } });
    t.write(10 * MSS);
    t.drain();
    for (const end of [2, 3, 4]) t.inject({ ack: at(0), options: { sack: [[at(1), at(end)]] } });
    t.inject({ ack: at(10) });
    t.write(4 * MSS);
    t.drain();
    t.inject({ ack: at(11), flags: 'AE' });
    t.inject({ ack: at(11), options: { sack: [[at(0), at(1)]] } });
    expect(t.counters).to.include({ TCPDSACKRecv: 1, TCPDSACKIgnoredNoUndo: 1, TCPDSACKUndo: 0 });
  });

  it('a super-segment has CWR on its first piece only', () => {
    const t = agreed();
    t.write(10 * MSS);
    t.drain();
    t.inject({ ack: at(10), flags: 'AE' });
    t.write(3 * MSS);
    expect(t.drain().map((seen) => seen.flags.includes('C'))).to.deep.equal([true, false, false]);
  });
});

describe('RFC 3168 6.1.3: the TCP receiver', () => {
  it('ECE is in every acknowledgment after a mark, until CWR comes', async () => {
    const t = agreed();
    t.inject({ length: MSS, ecn: CE });
    t.expect({ ack: at(1), flags: 'AE' });
    for (let i = 2; i < 5; i++) {
      t.inject({ length: MSS, ecn: ECT0 });
      await t.advance(50);
      t.expect({ ack: at(i), flags: 'AE' });
    }
    t.inject({ length: MSS, ecn: ECT0, flags: 'AC' });
    await t.advance(50);
    t.expect({ ack: at(5), flags: 'A' });
  });

  it('data carries the echo as well', () => {
    const t = agreed();
    t.inject({ length: MSS, ecn: CE });
    t.drain();
    t.write(MSS);
    t.expect({ length: MSS, flags: 'PAE', ecn: ECT0 });
  });

  it('CWR on a packet that is marked: it ends the echo, and begins another', () => {
    const t = agreed();
    t.inject({ length: MSS, ecn: CE });
    t.drain();
    t.inject({ length: MSS, ecn: CE, flags: 'AC' });
    t.expect({ flags: 'AE' });
  });

  it('ECT(0) and ECT(1) are no marks', () => {
    const t = agreed();
    for (const ecn of [ECT0, ECT1]) t.inject({ length: MSS, ecn });
    expect(t.drain().map((seen) => seen.flags)).to.deep.equal(['A', 'A']);
  });

  it('a marked pure acknowledgment is not echoed: there is no window to reduce', () => {
    const t = agreed();
    t.inject({ ecn: CE });
    t.write(MSS);
    t.expect({ length: MSS, flags: 'PA' });
  });
});

describe('RFC 3168 6.1.4 to 6.1.6: what is not ECN-capable', () => {
  it('6.1.4: a pure acknowledgment', () => {
    const t = agreed();
    t.inject({ length: MSS, ecn: ECT0 });
    t.expect({ length: 0, ecn: 0 });
  });

  it('6.1.5: a retransmission', async () => {
    const t = agreed({ sysctl: { tcp_early_retrans: 0 } });
    t.write(MSS);
    t.expect({ ecn: ECT0 });
    await t.advance(1000);
    t.expect({ seq: at(0), length: MSS, ecn: 0 });
  });

  it('6.1.5: the mark of what lies outside of the window is not looked at', () => {
    const t = agreed();
    t.inject({ length: MSS });
    t.drain();
    t.inject({ seq: at(0), length: MSS, ecn: CE });
    t.expect({ ack: at(1), flags: 'A' });
  });

  it('6.1.6: a window probe', async () => {
    const t = agreed();
    t.write(MSS);
    t.drain();
    t.inject({ ack: at(1), win: 0 });
    t.write(MSS);
    await t.advance(1000);
    const [probe] = t.drain();
    expect(probe).to.include({ length: 0, ecn: 0, flags: 'A' });
  });

  it('a FIN without data, and a RST', () => {
    const t = agreed();
    t.socket.close();
    t.expect({ flags: 'FA', ecn: 0 });
    t.inject({ length: 10 });
    t.expect({ flags: 'R', ecn: 0 });
  });
});

describe('RFC 3168 5: the ECN field', () => {
  it('is none of the user: IP_TOS sets the other six bits', async () => {
    const t = await established({ setup: (socket) => void socket.setsockopt(0, 1, 0x2b) });
    t.write(MSS);
    t.expect({ length: MSS, ecn: 0 });
  });

  it('packets are counted by it', () => {
    const t = agreed();
    const before = t.counters;
    for (const ecn of [0, ECT1, ECT0, CE, CE]) t.inject({ ecn });
    const { counters } = t;
    expect(counters.InNoECTPkts - before.InNoECTPkts).to.equal(1);
    expect(counters.InECT1Pkts - before.InECT1Pkts).to.equal(1);
    expect(counters.InECT0Pkts - before.InECT0Pkts).to.equal(1);
    expect(counters.InCEPkts - before.InCEPkts).to.equal(2);
  });
});
