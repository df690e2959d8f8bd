/** RFC 9293 3.10.7: SEGMENT ARRIVES, each state with each kind of segment. */
import { expect } from 'chai';
import { POLLPRI, SO_RCVBUF, SOL_SOCKET } from '../../../src/socket/constants.ts';
import { EAGAIN, ECONNREFUSED, ECONNRESET, EPIPE } from '../../../src/socket/errno.ts';
import { connecting, established, listening, WirePeer } from '../../support/wire-peer.ts';
import { inState, SYNCHRONIZED, statesBut, statesOf } from '../../support/wire-states.ts';

describe('RFC 9293 3.10.7.1: CLOSED', () => {
  // "All data in the incoming segment is discarded. An incoming segment containing a RST is discarded."
  it('a RST is not answered', () => {
    const t = new WirePeer();
    t.inject({ seq: 5, ack: 7, flags: 'RA' });
    t.inject({ seq: 5, flags: 'R' });
    t.expectNothing();
  });

  it('with ACK: <SEQ=SEG.ACK><CTL=RST>', () => {
    const t = new WirePeer();
    for (const flags of ['A', 'SA', 'FA', 'PA', 'FPUA']) {
      t.inject({ seq: 5, ack: 777, flags, length: 3 });
      t.expect({ seq: 777, ack: 0, flags: 'R', length: 0, win: 0, options: { ts: undefined, mss: undefined } });
    }
    t.expectNothing();
  });

  it('without ACK: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>', () => {
    const t = new WirePeer();
    const cases = [
      { flags: 'S', length: 0, ack: 6 },
      { flags: 'S', length: 10, ack: 16 },
      { flags: 'SF', length: 10, ack: 17 },
      { flags: 'F', length: 0, ack: 6 },
      { flags: '', length: 1, ack: 6 },
      { flags: 'U', length: 0, ack: 5 },
    ];
    for (const { flags, length, ack } of cases) {
      t.inject({ seq: 5, flags, length });
      t.expect({ seq: 0, ack, flags: 'RA', length: 0 });
    }
  });
});

describe('RFC 9293 3.10.7.2: LISTEN', () => {
  it('first, a RST is ignored', () => {
    const t = listening();
    for (const flags of ['R', 'RA', 'RS']) t.inject({ seq: 0, ack: 3, flags });
    t.expectNothing();
    expect(t.state()).to.equal('LISTEN');
  });

  it('second, any ACK is bad: <SEQ=SEG.ACK><CTL=RST>', () => {
    const t = listening();
    for (const flags of ['A', 'SA', 'FA']) {
      t.inject({ seq: 0, ack: 99, flags });
      t.expect({ seq: 99, flags: 'R' });
    }
    expect(t.state()).to.equal('LISTEN');
  });

  it('third, a SYN: <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>, and SYN-RECEIVED', () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S', options: { mss: 1000 } });
    t.expect({ seq: 0, ack: 1, flags: 'SA', length: 0, options: { mss: 1460 } });
    t.expectNothing();
    expect(t.state()).to.equal('SYN-RECEIVED');
  });

  // Deviation, as Linux: text in a SYN is not queued "for processing later" but left to be sent again, as it costs memory before the
  // peer's address is known to be real. The peer sees that it was not acknowledged.
  it('text in a SYN is not acknowledged; sent again it is taken', () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S', data: 'early' });
    t.expect({ ack: 1, flags: 'SA' });
    t.inject({ seq: 1, ack: 1, flags: 'PA', data: 'early' });
    t.accept();
    expect(t.read()).to.equal('early');
  });

  // Deviation, as Linux: nobody honest opens and closes in one segment.
  it('a SYN with a FIN is dropped', () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'SF' });
    t.expectNothing();
    expect(t.state()).to.equal('LISTEN');
  });

  it('fourth, anything else is dropped without an answer', () => {
    const t = listening();
    for (const flags of ['', 'F', 'P', 'U', 'E']) t.inject({ seq: 0, flags, length: 4 });
    t.expectNothing();
    expect(t.state()).to.equal('LISTEN');
  });

  it('ECN flags in a SYN do not get in its way', () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'SEC' });
    t.expect({ flags: 'SAE' });
  });
});

describe('RFC 9293 3.10.7.3: SYN-SENT', () => {
  for (const ack of [-1000, 0, 2, 1000]) {
    it(`first, an ACK of ${ack}, which is not of our SYN: <SEQ=SEG.ACK><CTL=RST>`, () => {
      for (const flags of ['A', 'SA', 'FA']) {
        const t = connecting();
        t.inject({ seq: 0, ack, flags });
        t.expect({ seq: ack, flags: 'R' });
        t.expectNothing();
        expect(t.state()).to.equal('SYN-SENT');
      }
    });

    it(`second, a RST with an ACK of ${ack} is dropped without an answer`, () => {
      const t = connecting();
      t.inject({ seq: 0, ack, flags: 'RA' });
      t.expectNothing();
      expect(t.state()).to.equal('SYN-SENT');
    });
  }

  it('second, a RST with an acceptable ACK: "connection reset", CLOSED', () => {
    const t = connecting();
    t.inject({ seq: 0, ack: 1, flags: 'RA' });
    t.expectNothing();
    expect(t.state()).to.equal('CLOSED');
    expect(t.socket.takeError()).to.equal(ECONNREFUSED);
    expect(t.counters.AttemptFails).to.equal(1);
  });

  it('second, a RST without an ACK is dropped', () => {
    const t = connecting();
    t.inject({ seq: 0, flags: 'R' });
    expect(t.state()).to.equal('SYN-SENT');
  });

  it('fourth, a SYN that acknowledges ours: ESTABLISHED and <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>', () => {
    const t = connecting();
    t.inject({ seq: 0, ack: 1, flags: 'SA' });
    t.expect({ seq: 1, ack: 1, flags: 'A', length: 0, options: { mss: undefined } });
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('fourth, text and FIN in it are processed on', () => {
    const t = connecting();
    t.inject({ seq: 0, ack: 1, flags: 'SFPA', data: 'hello' });
    t.expect({ seq: 1, ack: 7, flags: 'A' });
    expect(t.state()).to.equal('CLOSE-WAIT');
    expect(t.read()).to.equal('hello');
    expect(t.read()).to.equal(0);
  });

  it('fourth, a SYN without ACK: SYN-RECEIVED and <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>', () => {
    const t = connecting();
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ seq: 0, ack: 1, flags: 'SA' });
    expect(t.state()).to.equal('SYN-RECEIVED');
  });

  it('fifth, neither SYN nor RST: dropped', () => {
    const t = connecting();
    t.inject({ seq: 0, ack: 1, flags: 'A', length: 5 });
    t.inject({ seq: 0, ack: 1, flags: 'FA' });
    t.inject({ seq: 0, flags: 'F' });
    t.inject({ seq: 0, flags: '', length: 5 });
    t.expectNothing();
    expect(t.state()).to.equal('SYN-SENT');
  });
});

describe('RFC 9293 3.10.7.4, first: the sequence number', () => {
  for (const { name, rcvNxt, sndNxt } of SYNCHRONIZED) {
    describe(name, () => {
      it('beyond the window: an ACK, and the segment is dropped', async () => {
        const t = await inState(name);
        t.inject({ seq: rcvNxt + 65_535 + 10, ack: sndNxt, length: 5 });
        t.expect({ seq: sndNxt, ack: rcvNxt, flags: 'A', length: 0 });
        t.expectNothing();
        expect(t.state()).to.equal(name);
      });

      it('before the window: an ACK, and the segment is dropped', async () => {
        const t = await inState(name);
        t.inject({ seq: rcvNxt - 20, ack: sndNxt, flags: 'A', length: 5 });
        t.expect({ seq: sndNxt, ack: rcvNxt, flags: 'A', length: 0 });
        t.expectNothing();
        expect(t.state()).to.equal(name);
      });

      it('half the number space away: an ACK, and the segment is dropped', async () => {
        const t = await inState(name);
        t.inject({ seq: rcvNxt + 0x7fff0000, ack: sndNxt });
        t.expect({ seq: sndNxt, ack: rcvNxt, flags: 'A' });
        expect(t.state()).to.equal(name);
      });

      it('a RST outside is dropped without an answer', async () => {
        const t = await inState(name);
        for (const seq of [rcvNxt - 1, rcvNxt - 100, rcvNxt + 65_540, rcvNxt + 0x7fff0000]) {
          t.inject({ seq, ack: sndNxt, flags: 'R' });
          t.inject({ seq, ack: sndNxt, flags: 'RA' });
        }
        t.expectNothing();
        expect(t.state()).to.equal(name);
      });
    });
  }

  // The four cases of the table in 3.4 (SEG.LEN and RCV.WND zero or not).
  it('length 0, window 0: only SEG.SEQ = RCV.NXT', async () => {
    const t = await closedWindow();
    t.inject({ seq: t.rcvNxt, ack: 1, win: 1000 });
    t.expectNothing();
    t.inject({ seq: t.rcvNxt + 1, ack: 1, win: 1000 });
    t.expect({ ack: t.rcvNxt, win: 0 });
  });

  it('length > 0, window 0: not acceptable', async () => {
    const t = await closedWindow();
    t.inject({ seq: t.rcvNxt, ack: 1, length: 10 });
    t.expect({ ack: t.rcvNxt, win: 0 });
    t.expectNothing();
    expect((t.read() as string).length).to.equal(t.rcvNxt - 1);
  });

  // As Linux: what ends beyond the window is not cut off there. It is not acceptable while something is unread, and taken whole otherwise.
  it('length > 0: what lies outside on the left is cut off, on the right refused, unless nothing is unread', async () => {
    const t = await established({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 3000) });
    t.inject({ seq: 1, length: 1000 });
    t.drain();
    t.inject({ seq: 500, length: 5000 });
    t.expect({ ack: 1001 });
    expect((t.read() as string).length).to.equal(1000);
    t.drain();
    t.inject({ seq: 500, length: 5000 });
    expect((t.read() as string).length).to.equal(4499);
    t.drain();
    t.inject({ seq: 5500, data: 'x' });
    expect(t.read()).to.equal('x');
  });

  // Deviation, as Linux: RFC 9293 has "RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND" for bare segments. One that ends where we acknowledged
  // last, or starts at the right edge, still has an ACK field worth reading.
  it('a bare ACK at the right edge is acceptable', async () => {
    const t = await established();
    t.write('abc');
    t.expect({ seq: 1, length: 3 });
    t.inject({ seq: 1 + 64_240, ack: 4 });
    t.expectNothing();
    await t.advance(5000);
    t.expectNothing();
  });

  // 3.10.7.4: "special allowance should be made to accept valid ACKs, URGs, and RSTs" with a zero window. [MUST-66]
  it('MUST-66: RST and URG are processed with a zero window', async () => {
    const t = await closedWindow();
    t.inject({ seq: t.rcvNxt, ack: 1, flags: 'UA', urg: 100 });
    expect(t.socket.poll() & POLLPRI).to.equal(POLLPRI);
    t.inject({ seq: t.rcvNxt, flags: 'R' });
    expect(t.state()).to.equal('CLOSED');
  });
});

describe('RFC 9293 3.10.7.4, second: the RST bit', () => {
  it('MUST-11: SYN-RECEIVED, passive: back to LISTEN, the user is not told', async () => {
    const t = await inState('SYN-RECEIVED');
    t.inject({ seq: 1, flags: 'R' });
    t.expectNothing();
    expect(t.state()).to.equal('LISTEN');
    expect(t.listener?.poll()).to.equal(0);
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ flags: 'SA' });
  });

  // [MUST-11]: SYN-RECEIVED remembers whether it came from LISTEN or SYN-SENT.
  it('MUST-11: SYN-RECEIVED, active: "connection refused", CLOSED', () => {
    const t = connecting();
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, flags: 'R' });
    expect(t.state()).to.equal('CLOSED');
    expect(t.socket.takeError()).to.equal(ECONNREFUSED);
  });

  const told: Record<string, number> = {
    ESTABLISHED: ECONNRESET,
    'FIN-WAIT-1': ECONNRESET,
    'FIN-WAIT-2': ECONNRESET,
    // Linux: what we would still write is not wanted.
    'CLOSE-WAIT': EPIPE,
    // Linux; the RFC only has the connection deleted.
    CLOSING: ECONNRESET,
    'LAST-ACK': ECONNRESET,
    'TIME-WAIT': 0,
  };
  for (const { name, rcvNxt } of statesBut('SYN-RECEIVED')) {
    it(`${name}: with the exact number the connection is gone, and the user is told ${told[name]} [MUST-12]`, async () => {
      const t = await inState(name);
      t.inject({ seq: rcvNxt, flags: 'R' });
      t.expectNothing();
      expect(t.state()).to.equal('CLOSED');
      expect(t.socket.takeError()).to.equal(told[name]);
    });
  }

  it('data that came before it can be read first', async () => {
    const t = await established();
    t.inject({ seq: 1, data: 'last words' });
    t.inject({ flags: 'R' });
    expect(t.read()).to.equal('last words');
    expect(t.read()).to.equal(-ECONNRESET);
    expect(t.read()).to.equal(0);
  });

  it('what came out of order is flushed', async () => {
    const t = await established();
    t.inject({ seq: 5000, length: 1000 });
    t.inject({ seq: 1, flags: 'R' });
    t.drain();
    expect(t.stack.slab.live).to.equal(0);
  });

  it('what was queued to be sent is flushed', async () => {
    const t = await established({ win: 0 });
    t.write(100_000);
    t.inject({ flags: 'R' });
    expect(t.stack.slab.live).to.equal(0);
  });
});

describe('RFC 9293 3.10.7.4, fourth: the SYN bit', () => {
  it('SYN-RECEIVED, passive: back to LISTEN', async () => {
    const t = await inState('SYN-RECEIVED');
    t.inject({ seq: 5, flags: 'S' });
    expect(t.state()).to.equal('LISTEN');
  });

  it('SYN-RECEIVED: the same SYN again gets the same SYN,ACK', async () => {
    const t = await inState('SYN-RECEIVED');
    await t.advance(600);
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ seq: 0, ack: 1, flags: 'SA' });
    expect(t.state()).to.equal('SYN-RECEIVED');
  });

  for (const { name, rcvNxt, sndNxt } of statesBut('SYN-RECEIVED', 'TIME-WAIT')) {
    for (const [where, seq] of [
      ['at RCV.NXT', rcvNxt],
      ['in the window', rcvNxt + 1000],
      ['at the old number', 0],
      ['far away', rcvNxt + 0x70000000],
    ] as const) {
      it(`${name}: a SYN ${where} is answered with an ACK and changes nothing`, async () => {
        const t = await inState(name);
        t.inject({ seq, flags: 'S' });
        t.expect({ seq: sndNxt, ack: rcvNxt, flags: 'A', length: 0 });
        t.expectNothing();
        expect(t.state()).to.equal(name);
      });
    }
  }
});

describe('RFC 9293 3.10.7.4, fifth: the ACK field', () => {
  for (const { name, rcvNxt } of statesBut('SYN-RECEIVED', 'TIME-WAIT')) {
    it(`${name}: without ACK the segment is dropped`, async () => {
      const t = await inState(name);
      t.inject({ seq: rcvNxt, flags: '', length: 5 });
      t.inject({ seq: rcvNxt, flags: 'F' });
      t.expectNothing();
      expect(t.state()).to.equal(name);
    });
  }

  it('SYN-RECEIVED: without ACK the segment is dropped', async () => {
    const t = await inState('SYN-RECEIVED');
    t.inject({ seq: 1, flags: '', length: 5 });
    t.expectNothing();
    expect(t.state()).to.equal('SYN-RECEIVED');
  });

  for (const ack of [0, 2, -5, 70_000]) {
    it(`SYN-RECEIVED: an ACK of ${ack}: <SEQ=SEG.ACK><CTL=RST>`, async () => {
      const t = await inState('SYN-RECEIVED');
      t.inject({ seq: 1, ack });
      t.expect({ seq: ack, flags: 'R' });
      expect(t.state()).to.equal('SYN-RECEIVED');
      expect(t.listener?.accept()).to.equal(-EAGAIN);
      expect(t.counters.PassiveOpens).to.equal(0);
    });

    it(`SYN-RECEIVED from a simultaneous open: an ACK of ${ack}: <SEQ=SEG.ACK><CTL=RST>`, () => {
      const t = connecting();
      t.inject({ seq: 0, flags: 'S' });
      t.expect({ flags: 'SA' });
      t.inject({ seq: 1, ack });
      t.expect({ seq: ack, flags: 'R' });
      expect(t.state()).to.equal('SYN-RECEIVED');
    });
  }

  it('SYN-RECEIVED: SND.UNA < SEG.ACK =< SND.NXT: ESTABLISHED, with its window', async () => {
    const t = await inState('SYN-RECEIVED');
    t.inject({ seq: 1, ack: 1, win: 10 });
    t.accept();
    expect(t.state()).to.equal('ESTABLISHED');
    t.write('0123456789abcdef');
    t.expect({ seq: 1, data: '0123456789' });
  });

  it('SYN-RECEIVED: the text of the ACK is taken, its FIN too', async () => {
    const t = await inState('SYN-RECEIVED');
    t.inject({ seq: 1, ack: 1, flags: 'FPA', data: 'at once' });
    await t.advance(40);
    t.expect({ ack: 9, flags: 'A' });
    t.accept();
    expect(t.read()).to.equal('at once');
    expect(t.state()).to.equal('CLOSE-WAIT');
  });

  for (const { name, rcvNxt, sndNxt } of statesOf(
    'ESTABLISHED',
    'FIN-WAIT-1',
    'FIN-WAIT-2',
    'CLOSE-WAIT',
    'CLOSING',
    'LAST-ACK',
  )) {
    it(`${name}: an ACK of something not yet sent: an ACK, and the segment is dropped`, async () => {
      const t = await inState(name);
      t.inject({ seq: rcvNxt, ack: sndNxt + 1, flags: 'PA', data: 'dropped' });
      t.expect({ seq: sndNxt, ack: rcvNxt, flags: 'A', length: 0 });
      t.expectNothing();
      expect(t.state()).to.equal(name);
    });

    it(`${name}: a duplicate ACK is ignored, its text is not`, async () => {
      const t = await inState(name);
      t.inject({ seq: rcvNxt, ack: 0, flags: 'A' });
      t.expectNothing();
      expect(t.state()).to.equal(name);
    });
  }

  it('ESTABLISHED: SND.UNA <- SEG.ACK, and what was acknowledged is not sent again', async () => {
    const t = await established();
    t.write('abc');
    t.write('def');
    t.expect({ data: 'abcdef' });
    t.inject({ ack: 4 });
    await t.advance(300);
    t.expect({ seq: 4, data: 'def' });
    t.inject({ ack: 7 });
    await t.advance(10_000);
    t.expectNothing();
  });

  // "If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK))"
  it('an old segment does not update the window', async () => {
    const t = await established();
    t.inject({ seq: 1, ack: 1, length: 100, win: 5 });
    t.inject({ seq: 101, ack: 1, length: 100, win: 5 });
    t.drain();
    // Sent before the second, it comes after it.
    t.inject({ seq: 101, ack: 0, win: 1000 });
    t.drain();
    t.write('0123456789');
    t.expectNothing();
    await t.advance(300);
    t.expect({ data: '01234' });
  });

  it('nor does one that overtook it', async () => {
    const t = await established();
    t.inject({ seq: 2001, ack: 1, length: 100, win: 5 });
    t.inject({ seq: 1, ack: 1, win: 1000 });
    t.drain();
    t.write('0123456789');
    await t.advance(300);
    expect(t.drain()[0]?.data).to.equal('01234');
  });

  it('a segment with the same numbers updates it', async () => {
    const t = await established({ win: 5 });
    t.write('0123456789');
    t.expect({ data: '01234' });
    t.inject({ ack: 6, win: 0 });
    t.expectNothing();
    t.inject({ ack: 6, win: 2 });
    await t.advance(10);
    t.expectNothing();
    t.inject({ ack: 6, win: 1000 });
    t.expect({ seq: 6, data: '56789' });
  });

  it('FIN-WAIT-1: the ACK of our FIN: FIN-WAIT-2', async () => {
    const t = await inState('FIN-WAIT-1');
    t.inject({ ack: 2 });
    expect(t.state()).to.equal('FIN-WAIT-2');
  });

  it('FIN-WAIT-1: the ACK of the data before it: still FIN-WAIT-1', async () => {
    const t = await established();
    t.write('abc');
    t.socket.shutdown(1);
    t.expect({ flags: 'FPA', data: 'abc' });
    t.inject({ ack: 4 });
    expect(t.state()).to.equal('FIN-WAIT-1');
    t.inject({ ack: 5 });
    expect(t.state()).to.equal('FIN-WAIT-2');
  });

  it('CLOSING: the ACK of our FIN: TIME-WAIT', async () => {
    const t = await inState('CLOSING');
    t.inject({ ack: 1 });
    expect(t.state()).to.equal('CLOSING');
    t.inject({ ack: 2 });
    expect(t.state()).to.equal('TIME-WAIT');
  });

  it('LAST-ACK: the ACK of our FIN: CLOSED', async () => {
    const t = await inState('LAST-ACK');
    t.inject({ ack: 1 });
    expect(t.state()).to.equal('LAST-ACK');
    t.inject({ ack: 2 });
    expect(t.state()).to.equal('CLOSED');
    expect(t.stack.sockets().filter(({ state }) => state !== 'LISTEN')).to.deep.equal([]);
  });

  it("TIME-WAIT: the peer's FIN again is acknowledged, and the 2 MSL start again", async () => {
    const t = await inState('TIME-WAIT');
    await t.advance(59_000);
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    await t.advance(59_000);
    expect(t.state()).to.equal('TIME-WAIT');
    await t.advance(1000);
    expect(t.state()).to.equal('CLOSED');
  });

  it('TIME-WAIT: a bare ACK is not answered', async () => {
    const t = await inState('TIME-WAIT');
    t.inject({ seq: 2, ack: 2 });
    t.expectNothing();
  });
});

describe('RFC 9293 3.10.7.4, seventh: the text', () => {
  for (const { name, rcvNxt, sndNxt } of statesOf('ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2')) {
    it(`${name}: text is taken and acknowledged`, async () => {
      const t = await inState(name);
      t.inject({ seq: rcvNxt, ack: sndNxt === 2 ? 2 : 1, flags: 'PA', data: 'text' });
      expect(t.read()).to.equal('text');
      t.expect({ seq: sndNxt, ack: rcvNxt + 4, flags: 'A', length: 0 });
    });
  }

  for (const { name, rcvNxt, sndNxt, sndUna } of statesOf('CLOSE-WAIT', 'CLOSING', 'LAST-ACK')) {
    // "This should not occur since a FIN has been received from the remote side. Ignore the segment text."
    it(`${name}: text behind the FIN is ignored`, async () => {
      const t = await inState(name);
      t.inject({ seq: rcvNxt, ack: sndUna, flags: 'PA', data: 'too late' });
      await t.advance(100);
      expect(t.read()).to.equal(0);
      const [answer] = t.drain().filter(({ length }) => length === 0);
      if (answer !== undefined) expect(answer.ack).to.equal(rcvNxt);
      expect(t.state()).to.equal(name);
      expect(sndNxt).to.be.greaterThan(0);
    });
  }

  it('short segments do not hold a chunk each', async () => {
    const t = await established();
    for (let i = 0; i < 400; i++) t.inject({ length: 100 });
    t.drain();
    expect(t.stack.slab.live).to.be.at.most(2);
    expect((t.read() as string).length).to.equal(40_000);
    expect(t.stack.slab.live).to.equal(0);
  });

  it('nor do those that are out of order; and of holes there is a limit', async () => {
    const t = await established();
    for (let i = 0; i < 9000; i++) t.inject({ seq: 3 + 2 * i, length: 1 });
    expect(t.drain().length).to.equal(9000);
    expect(t.counters.TCPOFODrop).to.equal(9000 - 8192);
    expect(t.stack.slab.live).to.be.at.most(2);
    t.inject({ seq: 1, length: 2 });
    expect(t.drain().at(-1)?.ack).to.equal(4);
  });

  it('TIME-WAIT: text is answered with an ACK', async () => {
    const t = await inState('TIME-WAIT');
    t.inject({ seq: 2, ack: 2, data: 'too late' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(t.state()).to.equal('TIME-WAIT');
  });
});

describe('RFC 9293 3.10.7.4, eighth: the FIN bit', () => {
  for (const [name, next] of [
    ['ESTABLISHED', 'CLOSE-WAIT'],
    ['FIN-WAIT-1', 'CLOSING'],
    ['FIN-WAIT-2', 'TIME-WAIT'],
  ] as const) {
    it(`${name}: a FIN is acknowledged: ${next}`, async () => {
      const t = await inState(name);
      const [{ sndNxt, sndUna }] = statesOf(name) as [(typeof SYNCHRONIZED)[number]];
      t.inject({ seq: 1, ack: sndUna, flags: 'FA' });
      t.expect({ seq: sndNxt, ack: 2, flags: 'A' });
      expect(t.state()).to.equal(next);
      expect(t.read()).to.equal(0);
    });
  }

  it('SYN-RECEIVED: a FIN with the ACK: CLOSE-WAIT', async () => {
    const t = await inState('SYN-RECEIVED');
    t.inject({ seq: 1, ack: 1, flags: 'FA' });
    t.expect({ ack: 2 });
    expect(t.state()).to.equal('CLOSE-WAIT');
  });

  it('FIN-WAIT-1: a FIN that acknowledges ours: TIME-WAIT', async () => {
    const t = await inState('FIN-WAIT-1');
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(t.state()).to.equal('TIME-WAIT');
  });

  for (const { name, sndNxt, sndUna } of statesOf('CLOSE-WAIT', 'CLOSING', 'LAST-ACK')) {
    it(`${name}: the FIN again changes nothing and is acknowledged again`, async () => {
      const t = await inState(name);
      t.inject({ seq: 1, ack: sndUna, flags: 'FA' });
      t.expect({ seq: sndNxt, ack: 2, flags: 'A' });
      expect(t.state()).to.equal(name);
    });
  }

  it('a FIN that comes before its data waits for it', async () => {
    const t = await established();
    t.inject({ seq: 4, flags: 'FA', ack: 1 });
    t.expect({ ack: 1 });
    expect(t.state()).to.equal('ESTABLISHED');
    t.inject({ seq: 1, ack: 1, data: 'abc' });
    t.expect({ ack: 5 });
    expect(t.state()).to.equal('CLOSE-WAIT');
    expect(t.read()).to.equal('abc');
    expect(t.read()).to.equal(0);
  });

  it('a FIN beyond the window is not taken before its data', async () => {
    const t = await established({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 3000) });
    t.inject({ seq: 1, length: 2920 });
    t.drain();
    t.inject({ flags: 'FA', length: 10 });
    t.drain();
    expect(t.state()).to.equal('ESTABLISHED');
    expect((t.read() as string).length).to.equal(2920);
    t.drain();
    t.inject({ seq: 2921, length: 10 });
    expect(t.state()).to.equal('ESTABLISHED');
    t.inject({ seq: 2931, flags: 'FA' });
    expect(t.state()).to.equal('CLOSE-WAIT');
  });

  it('CLOSED, LISTEN, SYN-SENT: a FIN is not processed, as SEG.SEQ cannot be validated', () => {
    const t = connecting();
    t.inject({ seq: 0, flags: 'F' });
    t.expectNothing();
    expect(t.state()).to.equal('SYN-SENT');
  });
});

/** A DUT that has advertised a window of zero; `rcvNxt` is then the peer's next number. */
async function closedWindow(): Promise<WirePeer & { rcvNxt: number }> {
  const t = await established({ setup: (socket) => socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 3000) });
  t.inject({ seq: 1, length: 1460 });
  t.inject({ length: 1460 });
  await t.advance(200);
  const last = t.drain().at(-1);
  if (last?.win !== 0) throw new Error(`the window is still ${last?.win}\n${t.ladder()}`);
  await t.advance(1000);
  t.drain();
  return Object.assign(t, { rcvNxt: last.ack });
}
