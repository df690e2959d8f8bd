/** RFC 5961: against blind in-window attacks: challenge ACKs, and their limits. */
import { expect } from 'chai';
import { established } from '../../support/wire-peer.ts';
import { inState, SYNCHRONIZED, statesBut } from '../../support/wire-states.ts';

describe('RFC 5961 3: the RST bit', () => {
  for (const { name, rcvNxt, sndNxt } of statesBut('SYN-RECEIVED', 'TIME-WAIT')) {
    it(`3.2 ${name}: in the window but not exact: a challenge ACK, and nothing changes`, async () => {
      const t = await inState(name);
      t.inject({ seq: rcvNxt + 1, flags: 'R' });
      t.expect({ seq: sndNxt, ack: rcvNxt, flags: 'A', length: 0 });
      t.expectNothing();
      expect(t.state()).to.equal(name);
      expect(t.counters.TCPChallengeACK).to.equal(1);
    });
  }

  it('3.2 SYN-RECEIVED: likewise', async () => {
    const t = await inState('SYN-RECEIVED');
    t.inject({ seq: 100, flags: 'R' });
    t.expect({ seq: 1, ack: 1, flags: 'A' });
    expect(t.state()).to.equal('SYN-RECEIVED');
  });

  it('3.2: "if the RST was legitimate", the peer answers the challenge with the right number', async () => {
    const t = await established();
    t.inject({ seq: 1000, flags: 'R' });
    const { ack } = t.expect({ flags: 'A' });
    t.inject({ seq: ack, flags: 'R' });
    expect(t.state()).to.equal('CLOSED');
  });
});

describe('RFC 5961 4: the SYN bit', () => {
  it('4.2: a challenge ACK, whatever the number', async () => {
    for (const seq of [-1_000_000, 0, 1, 1000, 1_000_000]) {
      const t = await established();
      t.inject({ seq, flags: 'S' });
      t.expect({ seq: 1, ack: 1, flags: 'A' });
      expect(t.state()).to.equal('ESTABLISHED');
    }
  });

  it('4.2: a SYN,ACK too', async () => {
    const t = await established();
    t.inject({ seq: 1, ack: 1, flags: 'SA' });
    t.expect({ seq: 1, ack: 1, flags: 'A' });
    expect(t.counters.TCPSYNChallenge).to.equal(1);
  });
});

describe('RFC 5961 5 [MAY-12]: the ACK field', () => {
  it('5.2: (SND.UNA - MAX.SND.WND) <= SEG.ACK is a duplicate, text and all', async () => {
    const t = await established({ win: 1000 });
    for (let seq = 1; seq < 1500; seq += 500) {
      t.write(500);
      t.drain();
      t.inject({ ack: seq + 500 });
    }
    t.inject({ seq: 1, ack: 1501 - 1001, data: 'injected' });
    expect(t.read()).to.equal(-11);
    t.inject({ seq: 1, ack: 1501 - 1000, data: 'fine' });
    expect(t.read()).to.equal('fine');
  });

  it('5.2: one of what came before the first number is challenged, too, and its text dropped (Linux)', async () => {
    const t = await established({ win: 1000 });
    t.write(500);
    t.drain();
    t.inject({ ack: 501 });
    t.inject({ seq: 1, ack: -2, data: 'injected' });
    t.expect({ seq: 501, ack: 1, flags: 'A' });
    expect(t.read()).to.equal(-11);
    t.inject({ seq: 1, ack: 1, data: 'fine' });
    expect(t.read()).to.equal('fine');
  });

  it('5.2: an older one is challenged, and its text dropped', async () => {
    const t = await established({ win: 1000 });
    t.inject({ seq: 1, ack: 1 - 1001, data: 'injected' });
    t.expect({ seq: 1, ack: 1, flags: 'A' });
    expect(t.read()).to.equal(-11);
    expect(t.counters.TCPChallengeACK).to.equal(1);
  });

  it('5.2: one of what was never sent is challenged', async () => {
    const t = await established();
    t.inject({ seq: 1, ack: 2, data: 'injected' });
    t.expect({ seq: 1, ack: 1, flags: 'A' });
    expect(t.read()).to.equal(-11);
  });
});

describe('RFC 5961 7: throttling', () => {
  it('one challenge in tcp_invalid_ratelimit (500 ms) on a connection', async () => {
    const t = await established();
    for (let i = 0; i < 10; i++) t.inject({ seq: 1000, flags: 'R' });
    t.expect({ flags: 'A' });
    t.expectNothing();
    expect(t.counters.TCPACKSkippedChallenge).to.equal(9);
    await t.advance(499);
    t.inject({ seq: 1000, flags: 'R' });
    t.expectNothing();
    await t.advance(1);
    t.inject({ seq: 1000, flags: 'R' });
    t.expect({ flags: 'A' });
  });

  it('bare segments outside the window share that limit', async () => {
    const t = await established();
    for (let i = 0; i < 5; i++) t.inject({ seq: -100, ack: 1 });
    t.expect({ flags: 'A' });
    t.expectNothing();
    expect(t.counters.TCPACKSkippedSeq).to.equal(4);
  });

  it('segments with data outside the window are always answered', async () => {
    const t = await established();
    for (let i = 0; i < 5; i++) {
      t.inject({ seq: -100, ack: 1, length: 10 });
      t.expect({ ack: 1, flags: 'A' });
    }
  });

  it('SYN-RECEIVED has the limit, too', async () => {
    const t = await inState('SYN-RECEIVED');
    for (let i = 0; i < 5; i++) t.inject({ seq: 100, flags: 'R' });
    t.expect({ flags: 'A' });
    t.expectNothing();
    expect(t.counters.TCPACKSkippedSynRecv).to.equal(4);
  });

  // CVE-2016-5696: a fixed number would let an outsider count what others have used.
  it('tcp_challenge_ack_limit bounds the whole host, in each second between half and all of it', async () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 8; seed++) {
      const t = await established({ seed, sysctl: { tcp_challenge_ack_limit: 20, tcp_invalid_ratelimit: 0 } });
      for (let i = 0; i < 50; i++) t.inject({ seq: 1000, flags: 'R' });
      const count = t.drain().length;
      expect(count).to.be.within(10, 20);
      counts.add(count);
      await t.advance(1000);
      t.inject({ seq: 1000, flags: 'R' });
      t.expect({ flags: 'A' });
    }
    expect(counts.size).to.be.greaterThan(2);
  });

  it('every state is in the table', () => {
    expect(SYNCHRONIZED.length).to.equal(8);
  });
});
